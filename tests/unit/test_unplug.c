// SPDX-License-Identifier: GPL-2.0
// pure: platform-pci/unplug_plan.c
/* The unplug policy: what each mode takes, and what keeps a class. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "../../platform-pci/unplug_plan.h"

#define DISK(i)		{ .kind = XPV_EMU_DISK, .index = (i), .twin = true }
#define NIC		{ .kind = XPV_EMU_NIC, .twin = true }

static u16 decide(const char *mode, const struct xpv_emu *emu, size_t n)
{
	struct xpv_unplug_plan plan;

	xpv_unplug_plan_start(&plan, xpv_unplug_mode(mode));
	while (n--)
		xpv_unplug_plan_consider(&plan, emu++);
	return xpv_unplug_plan_bits(&plan);
}

static void test_modes(void **state)
{
	static const char * const bad[] = {
		"", "AUTO", "auto ", "disks", "ide-disk", "all,never", "0",
	};

	assert_int_equal(xpv_unplug_mode("never"), 0);
	assert_int_equal(xpv_unplug_mode("unnecessary"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(xpv_unplug_mode(bad[i]), -EINVAL);
}

static void test_what_each_mode_takes(void **state)
{
	static const struct xpv_emu full[] = { DISK(0), DISK(1), DISK(3), NIC };
	static const struct {
		const char *mode;
		u16 bits;
	} rows[] = {
		{ "auto", 4 | 2 }, { "never", 0 }, { "unnecessary", 0 },
		{ "ide-disks", 1 }, { "aux-ide-disks", 4 }, { "nics", 2 },
		{ "all", 1 | 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(decide(rows[i].mode, full, 4), rows[i].bits);
		assert_int_equal(decide(rows[i].mode, full, 0), 0);
	}
}

static void test_primary_master_alone_is_kept_by_auto(void **state)
{
	static const struct xpv_emu master = DISK(0);

	assert_int_equal(decide("auto", &master, 1), 0);
	assert_int_equal(decide("aux-ide-disks", &master, 1), 0);
	assert_int_equal(decide("ide-disks", &master, 1), 1);
}

static void test_primary_master_in_use_keeps_only_itself(void **state)
{
	struct xpv_emu emu[] = { DISK(0), DISK(1), NIC };

	emu[0].busy = true;
	emu[0].twin = false;
	assert_int_equal(decide("auto", emu, 3), 4 | 2);
	assert_int_equal(decide("ide-disks", emu, 3), 0);
	assert_int_equal(decide("all", emu, 3), 2);
}

/* Whichever member it is, one that must stay keeps its class, not the other. */
static void test_one_member_keeps_its_class(void **state)
{
	for (int member = 0; member < 5; member++) {
		for (int flaw = 0; flaw < 3; flaw++) {
			struct xpv_emu emu[] = { DISK(1), DISK(2), DISK(3), NIC, NIC };
			u16 others = member < 3 ? 2 : 4;

			emu[member].busy = flaw != 1;
			emu[member].twin = flaw == 0;
			assert_int_equal(decide("auto", emu, 5), others);
			assert_int_equal(decide("all", emu, 5), member < 3 ? 2 : 1);
		}
	}
}

static void test_cdrom_never_matters(void **state)
{
	struct xpv_emu emu[] = {
		{ .kind = XPV_EMU_CDROM, .index = 2, .busy = true }, DISK(1),
	};

	assert_int_equal(decide("auto", emu, 2), 4);
	assert_int_equal(decide("all", emu, 1), 0);
	assert_false(xpv_unplug_takes(0xffff, &emu[0]));
}

static void test_sata_keeps_all_disks(void **state)
{
	struct xpv_emu emu[] = {
		DISK(1), { .kind = XPV_EMU_SATA, .twin = true }, NIC,
	};

	assert_int_equal(decide("auto", emu, 3), 2);
	assert_int_equal(decide("all", emu, 3), 2);
}

static void test_scsi_and_virtio_go_with_all_disks_only(void **state)
{
	struct xpv_emu emu[] = {
		DISK(1), { .kind = XPV_EMU_SCSI, .twin = true }, NIC,
	};

	assert_int_equal(decide("auto", emu, 3), 4 | 2);
	assert_int_equal(decide("ide-disks", emu, 3), 0);
	assert_int_equal(decide("all", emu, 3), 2);
}

static void test_the_first_reason_is_told(void **state)
{
	struct xpv_emu emu[] = { DISK(1), DISK(2), NIC };
	struct xpv_unplug_plan plan;

	emu[1].busy = true;
	emu[2].twin = false;
	xpv_unplug_plan_start(&plan, xpv_unplug_mode("all"));
	for (size_t i = 0; i < ARRAY_SIZE(emu); i++)
		xpv_unplug_plan_consider(&plan, &emu[i]);
	assert_ptr_equal(plan.disk_kept_by, &emu[1]);
	assert_ptr_equal(plan.nic_kept_by, &emu[2]);
	assert_string_equal(xpv_unplug_why(&emu[1]), "is in use");
	assert_string_equal(xpv_unplug_why(&emu[2]), "has no PV twin");
}

static void test_vbd_numbers(void **state)
{
	static const struct {
		u32 vdevice;
		int index;
	} rows[] = {
		{ 768, 0 }, { 832, 1 }, { 5632, 2 }, { 5696, 3 },
		{ 51712, 0 }, { 51728, 1 }, { 51744, 2 }, { 51760, 3 },
		{ 769, -1 }, { 831, -1 }, { 896, -1 }, { 5633, -1 }, { 51713, -1 },
		{ 51776, -1 }, { 51967, -1 }, { 0, -1 }, { 2048, -1 },
		{ (1u << 28) | 0x300, -1 }, { (1u << 28) | 51712, -1 },
		{ 0xffffffff, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(xpv_unplug_ide_index(rows[i].vdevice), rows[i].index);
}

static void test_hd_numbers_come_back(void **state)
{
	static const u32 numbers[] = { 768, 832, 5632, 5696 };

	for (int i = 0; i < 4; i++) {
		assert_int_equal(xpv_unplug_hd_number(i), numbers[i]);
		assert_int_equal(xpv_unplug_ide_index(numbers[i]), i);
	}
}

/* Never both disk bits: device models disagree about what that means. */
static void test_disk_bits_are_exclusive(void **state)
{
	static const char * const words[] = {
		"auto", "never", "ide-disks", "aux-ide-disks", "nics", "all",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_not_equal(xpv_unplug_mode(words[i]) & 5, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_what_each_mode_takes),
		cmocka_unit_test(test_primary_master_alone_is_kept_by_auto),
		cmocka_unit_test(test_primary_master_in_use_keeps_only_itself),
		cmocka_unit_test(test_one_member_keeps_its_class),
		cmocka_unit_test(test_cdrom_never_matters),
		cmocka_unit_test(test_sata_keeps_all_disks),
		cmocka_unit_test(test_scsi_and_virtio_go_with_all_disks_only),
		cmocka_unit_test(test_the_first_reason_is_told),
		cmocka_unit_test(test_vbd_numbers),
		cmocka_unit_test(test_hd_numbers_come_back),
		cmocka_unit_test(test_disk_bits_are_exclusive),
	};

	return cmocka_run_group_tests_name("unplug", tests, NULL, NULL);
}

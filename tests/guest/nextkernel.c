// SPDX-License-Identifier: GPL-2.0
/*
 * usage: nextkernel load KERNEL INITRD COMMAND_LINE
 *        nextkernel crash KERNEL INITRD COMMAND_LINE
 *        nextkernel go
 *
 * kexec for a guest of the test bed, by kexec_load(2): a 64-bit bzImage and an initrd,
 * to be started by `go`, or when this kernel panics. Debian's program wants /proc/kcore, and
 * where there is /proc/xen it turns to Xen, as in dom0. The crash kernel gets the memory
 * that was reserved for it (crashkernel=) and, as /proc/vmcore, the rest.
 *
 * In memory: a page each for the jump into the kernel, its parameters, its command line
 * and the headers of the dump, then the kernel, then the initrd.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE		4096UL
#define KEXEC_ON_CRASH	1
#define REBOOT_MAGIC1	0xfee1dead
#define REBOOT_MAGIC2	672274793
#define REBOOT_KEXEC	0x45584543
#define DIRECT_MAP	0xffff888000000000ULL

/* What comes first, from wherever it begins. */
enum { JUMP, PARAMS, LINE, DUMP, FIXED_PAGES };
/* Below are only things of a page; the kernel stands at a multiple of this. */
#define ALIGN_MIN	(2UL << 20)

struct segment {
	const void *data;
	size_t size;
	unsigned long at, room;
};

struct range {
	uint64_t start, end;	/* end: the first byte behind it */
	uint32_t type;		/* as in e820 */
};

static struct range ranges[64], reserved;
static int count;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned long up(unsigned long n, unsigned long to)
{
	return (n + to - 1) / to * to;
}

/* Memory as this kernel knows it. */
static void read_ranges(void)
{
	static const struct {
		const char *name;
		uint32_t type;
	} kinds[] = {
		{ "System RAM", 1 }, { "Reserved", 2 }, { "ACPI Tables", 3 },
		{ "ACPI Non-volatile Storage", 4 },
	};
	FILE *f = fopen("/proc/iomem", "r");
	unsigned long start, last;
	char line[128], name[64];

	if (!f)
		die("/proc/iomem");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx : %63[^\n]", &start, &last, name) != 3)
			continue;
		if (!strcmp(name, "Crash kernel"))
			reserved = (struct range){ start, last + 1, 1 };
		for (unsigned int i = 0; line[0] != ' ' && i < 4 && count < 64; i++)
			if (!strcmp(name, kinds[i].name))
				ranges[count++] = (struct range){ start, last + 1, kinds[i].type };
	}
	fclose(f);
}

static void *map_file(const char *name, size_t *size)
{
	int fd = open(name, O_RDONLY);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st))
		die(name);
	*size = st.st_size;
	data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		die(name);
	return data;
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, 4);
	return value;
}

static void put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, 4);
}

/* ---- what the next kernel is given --------------------------------------------- */

static void add_range(uint8_t *params, uint64_t start, uint64_t end, uint32_t type)
{
	uint8_t *entry = params + 0x2d0 + 20 * params[0x1e8];
	uint64_t size = end - start;

	if (start >= end)
		return;
	params[0x1e8]++;
	memcpy(entry, &start, 8);
	memcpy(entry + 8, &size, 8);
	put32(entry + 16, type);
}

/* As Documentation/arch/x86/boot.rst wants it. */
static void make_params(uint8_t *params, const uint8_t *image, const struct segment *line,
			const struct segment *initrd, unsigned long kernel, int crash)
{
	memcpy(params + 0x1f1, image + 0x1f1, 0x202 + image[0x201] - 0x1f1);
	put32(params + 0x214, kernel);
	params[0x210] = 0xff;
	put32(params + 0x218, initrd->at);
	put32(params + 0x21c, initrd->size);
	put32(params + 0x228, line->at);
	for (int i = 0; i < count; i++)
		if (!crash || ranges[i].type != 1)
			add_range(params, ranges[i].start, ranges[i].end, ranges[i].type);
	if (!crash)
		return;
	/* The first kernel keeps its hands off the first megabyte. */
	add_range(params, PAGE, 0x9f000, 1);
	add_range(params, reserved.start, reserved.start + FIXED_PAGES * PAGE, 2);
	add_range(params, reserved.start + FIXED_PAGES * PAGE, reserved.end, 1);
}

/* movabs $params, %rsi; movabs $entry, %rax; jmp *%rax */
static void make_jump(uint8_t *code, uint64_t params, uint64_t entry)
{
	memcpy(code, "\x48\xbe", 2);
	memcpy(code + 2, &params, 8);
	memcpy(code + 10, "\x48\xb8", 2);
	memcpy(code + 12, &entry, 8);
	memcpy(code + 20, "\xff\xe0", 2);
}

static void add_header(Elf64_Ehdr *ehdr, uint32_t type, uint64_t start, uint64_t size)
{
	Elf64_Phdr *phdr = (Elf64_Phdr *)(ehdr + 1) + ehdr->e_phnum++;

	*phdr = (Elf64_Phdr){
		.p_type = type, .p_offset = start, .p_paddr = start,
		.p_vaddr = type == PT_LOAD ? DIRECT_MAP + start : 0,
		.p_filesz = size, .p_memsz = size,
	};
}

static unsigned long number_in(const char *file, const char *format, unsigned long *second)
{
	unsigned long first = 0;
	FILE *f = fopen(file, "r");

	if (!f)
		return 0;
	if (fscanf(f, format, &first, second) < 1)
		first = 0;
	fclose(f);
	return first;
}

/* What is to be dumped: all memory but the crash kernel's own. */
static void make_dump(Elf64_Ehdr *ehdr)
{
	unsigned long start, size = 0, unused;
	char file[80];
	int cpu;

	memcpy(ehdr->e_ident, ELFMAG "\x02\x01\x01", 7);
	ehdr->e_type = ET_CORE;
	ehdr->e_machine = EM_X86_64;
	ehdr->e_version = EV_CURRENT;
	ehdr->e_phoff = ehdr->e_ehsize = sizeof(*ehdr);
	ehdr->e_phentsize = sizeof(Elf64_Phdr);
	for (cpu = 0; cpu < 16; cpu++) {
		sprintf(file, "/sys/devices/system/cpu/cpu%d/crash_notes", cpu);
		start = number_in(file, "%lx", &unused);
		strcat(file, "_size");
		size = number_in(file, "%lu", &unused);
		if (start && size)
			add_header(ehdr, PT_NOTE, start, size);
	}
	start = number_in("/sys/kernel/vmcoreinfo", "%lx %lx", &size);
	if (start)
		add_header(ehdr, PT_NOTE, start, size);
	for (int i = 0; i < count && ehdr->e_phnum < 60; i++) {
		if (ranges[i].type != 1 || ranges[i].end <= 1 << 20)
			continue;
		if (reserved.start < ranges[i].start || reserved.end > ranges[i].end) {
			add_header(ehdr, PT_LOAD, ranges[i].start,
				   ranges[i].end - ranges[i].start);
			continue;
		}
		add_header(ehdr, PT_LOAD, ranges[i].start,
			   reserved.start - ranges[i].start);
		if (ranges[i].end > reserved.end)
			add_header(ehdr, PT_LOAD, reserved.end, ranges[i].end - reserved.end);
	}
}

/* ---- all together ------------------------------------------------------------------ */

static int load(const char *kernel, const char *initrd, const char *line, int crash)
{
	static uint8_t fixed[FIXED_PAGES][PAGE];
	struct segment s[FIXED_PAGES + 2];
	size_t image_size, setup, at;
	const uint8_t *image = map_file(kernel, &image_size);
	struct segment *core = &s[FIXED_PAGES], *disk = &s[FIXED_PAGES + 1];

	read_ranges();
	if (crash && !reserved.end)
		die("no memory was reserved");
	if (get32(image + 0x202) != 0x53726448 || !(image[0x236] & 1) || !image[0x234])
		die("not a relocatable 64-bit kernel");
	at = crash ? reserved.start : 64UL << 20;
	for (int i = 0; i < FIXED_PAGES; i++, at += PAGE)
		s[i] = (struct segment){ fixed[i], PAGE, at, PAGE };
	setup = ((image[0x1f1] ?: 4) + 1) * 512;
	core->data = image + setup;
	core->size = image_size - setup;
	at = up(at, get32(image + 0x230) > ALIGN_MIN ? get32(image + 0x230) : ALIGN_MIN);
	core->at = at;
	/* The kernel unpacks itself into this. */
	core->room = up(get32(image + 0x260), PAGE);
	if (core->room < up(core->size, PAGE))
		core->room = up(core->size, PAGE);
	disk->data = map_file(initrd, &disk->size);
	disk->at = up(core->at + core->room, ALIGN_MIN);
	disk->room = up(disk->size, PAGE);
	if (crash && disk->at + disk->room > reserved.end)
		die("too little memory was reserved");

	if (crash)
		make_dump((Elf64_Ehdr *)fixed[DUMP]);
	snprintf((char *)fixed[LINE], 2048, crash ? "%s elfcorehdr=%#lx" : "%s",
		 line, s[DUMP].at);
	make_params(fixed[PARAMS], image, &s[LINE], disk, core->at, crash);
	make_jump(fixed[JUMP], s[PARAMS].at, core->at + 0x200);
	if (syscall(SYS_kexec_load, s[JUMP].at, FIXED_PAGES + 2UL, s,
		    crash ? KEXEC_ON_CRASH : 0UL))
		die("kexec_load");
	printf("kernel at %#lx, initrd at %#lx\n", core->at, disk->at);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "go")) {
		sync();
		syscall(SYS_reboot, REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_KEXEC, NULL);
		die("reboot");
	}
	if (argc == 5 && !strcmp(argv[1], "load"))
		return load(argv[2], argv[3], argv[4], 0);
	if (argc == 5 && !strcmp(argv[1], "crash"))
		return load(argv[2], argv[3], argv[4], 1);
	return 2;
}

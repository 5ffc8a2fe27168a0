#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Ask the target kernel's headers what they offer, by compiling a few lines.
#
#	probes.sh OUT.h CC FLAGS...
#
# Each probe below that compiles becomes `#define XPV_HAVE_<NAME> 1` in OUT.h.
# Distributions move interfaces between versions, so what is known to have been
# moved is probed here; compat.h turns the answers into code.
set -eu

out=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/xpv-probes.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
jobs=0

# probe NAME: the program comes on standard input
probe() {
	cat > "$dir/$1.c"
	name=$1
	(
		shift
		if "$@" -Werror=implicit-function-declaration \
			-Werror=incompatible-pointer-types -Werror=int-conversion \
			-fsyntax-only "$dir/$name.c" 2> "$dir/$name.log"; then
			: > "$dir/$name.yes"
		fi
	) &
	jobs=$((jobs + 1))
	if [ $((jobs % 4)) -eq 0 ]; then
		wait
	fi
}

# The harness first: if even this does not compile, the tree is not usable.
probe HARNESS "$@" <<'EOF'
#include <linux/module.h>
int probe(void) { return 0; }
EOF
wait
if [ ! -e "$dir/HARNESS.yes" ]; then
	echo "probes.sh: the kernel tree's headers do not compile:" >&2
	head -n 5 "$dir/HARNESS.log" >&2
	exit 1
fi
probe XEN_INTERFACE "$@" <<'EOF'
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/io/blkif.h>
#include <xen/interface/io/netif.h>
EOF
wait
if [ ! -e "$dir/XEN_INTERFACE.yes" ]; then
	echo "probes.sh: the kernel tree lacks Xen's public headers (include/xen/interface): install the full headers package" >&2
	head -n 5 "$dir/XEN_INTERFACE.log" >&2
	exit 1
fi

# --- probes, one noun each, in alphabetical order -------------------------
probe BLK_ALLOC_DISK_LIMITS "$@" <<'EOF'
#include <linux/blk-mq.h>
struct gendisk *probe(struct blk_mq_tag_set *set) { return blk_mq_alloc_disk(set, NULL, NULL); }
EOF
probe BLK_CLEANUP_QUEUE "$@" <<'EOF'
#include <linux/blkdev.h>
void probe(struct request_queue *q) { blk_cleanup_queue(q); }
EOF
probe BLK_GETGEO_GENDISK "$@" <<'EOF'
#include <linux/blkdev.h>
#include <linux/hdreg.h>
static int geo(struct gendisk *disk, struct hd_geometry *g) { return 0; }
struct block_device_operations probe = { .getgeo = geo };
EOF
probe BLK_LIMITS_FEATURES "$@" <<'EOF'
#include <linux/blkdev.h>
struct queue_limits probe = { .features = BLK_FEAT_WRITE_CACHE };
EOF
probe BLK_MARK_DISK_DEAD "$@" <<'EOF'
#include <linux/blkdev.h>
void probe(struct gendisk *disk) { blk_mark_disk_dead(disk); }
EOF
probe BLK_MQ_F_SHOULD_MERGE "$@" <<'EOF'
#include <linux/blk-mq.h>
int probe = BLK_MQ_F_SHOULD_MERGE;
EOF
probe BLK_OPEN_GENDISK "$@" <<'EOF'
#include <linux/blkdev.h>
static int op(struct gendisk *disk, blk_mode_t mode) { return 0; }
struct block_device_operations probe = { .open = op };
EOF
probe BLK_MAP_QUEUES_VOID "$@" <<'EOF'
#include <linux/blk-mq.h>
static void map(struct blk_mq_tag_set *set) { }
struct blk_mq_ops probe = { .map_queues = map };
EOF
probe BLK_POLL_BATCH "$@" <<'EOF'
#include <linux/blk-mq.h>
static int poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob) { return 0; }
struct blk_mq_ops probe = { .poll = poll };
EOF
probe BLK_TIMEOUT_ONE "$@" <<'EOF'
#include <linux/blk-mq.h>
static enum blk_eh_timer_return to(struct request *rq) { return 0; }
struct blk_mq_ops probe = { .timeout = to };
EOF
probe BUS_MATCH_CONST "$@" <<'EOF'
#include <linux/device.h>
static int match(struct device *dev, const struct device_driver *drv) { return 0; }
struct bus_type probe = { .match = match };
EOF
probe BUS_REMOVE_VOID "$@" <<'EOF'
#include <linux/device.h>
static void remove(struct device *dev) { }
struct bus_type probe = { .remove = remove };
EOF
probe BUS_UEVENT_CONST "$@" <<'EOF'
#include <linux/device.h>
static int uevent(const struct device *dev, struct kobj_uevent_env *env) { return 0; }
struct bus_type probe = { .uevent = uevent };
EOF
probe CPUID_API_H "$@" <<'EOF'
#include <asm/cpuid/api.h>
EOF
probe DEVICE_ADD_DISK_INT "$@" <<'EOF'
#include <linux/blkdev.h>
int probe(struct gendisk *disk) { return device_add_disk(NULL, disk, NULL); }
EOF
probe DISK_OPENERS "$@" <<'EOF'
#include <linux/blkdev.h>
unsigned int probe(struct gendisk *disk) { return disk_openers(disk); }
EOF
probe DISK_PART0_BDEV "$@" <<'EOF'
#include <linux/blkdev.h>
int probe(struct gendisk *disk) { return disk->part0->bd_openers; }
EOF
probe ETH_HW_ADDR_SET "$@" <<'EOF'
#include <linux/etherdevice.h>
void probe(struct net_device *dev, const u8 *mac) { eth_hw_addr_set(dev, mac); }
EOF
probe FREEZE_MEMFLAGS "$@" <<'EOF'
#include <linux/blk-mq.h>
unsigned int probe(struct request_queue *q) { return blk_mq_freeze_queue(q); }
EOF
probe HEX_H "$@" <<'EOF'
#include <linux/hex.h>
EOF
probe HVMOP_UPCALL_VECTOR "$@" <<'EOF'
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/hvm_op.h>
int probe = sizeof(struct xen_hvm_evtchn_upcall_vector);
EOF
probe IRQ_MOVE_PCNTXT "$@" <<'EOF'
#include <linux/irq.h>
int probe = IRQ_MOVE_PCNTXT;
EOF
probe KERNEL_COALESCE "$@" <<'EOF'
#include <linux/ethtool.h>
static int get(struct net_device *dev, struct ethtool_coalesce *coalesce,
	       struct kernel_ethtool_coalesce *kernel_coalesce,
	       struct netlink_ext_ack *extack) { return 0; }
struct ethtool_ops probe = { .get_coalesce = get };
EOF
probe KERNEL_RINGPARAM "$@" <<'EOF'
#include <linux/ethtool.h>
static void get(struct net_device *dev, struct ethtool_ringparam *ring,
		struct kernel_ethtool_ringparam *kernel_ring,
		struct netlink_ext_ack *extack) { }
struct ethtool_ops probe = { .get_ringparam = get };
EOF
probe KERNEL_TS_INFO "$@" <<'EOF'
#include <linux/ethtool.h>
static int get(struct net_device *dev, struct kernel_ethtool_ts_info *info) { return 0; }
struct ethtool_ops probe = { .get_ts_info = get };
EOF
probe KMAP_LOCAL "$@" <<'EOF'
#include <linux/highmem.h>
void *probe(struct page *page) { return kmap_local_page(page); }
EOF
probe NETIF_NAPI_ADD_3 "$@" <<'EOF'
#include <linux/netdevice.h>
void probe(struct net_device *dev, struct napi_struct *napi,
	   int (*poll)(struct napi_struct *, int))
{
	netif_napi_add(dev, napi, poll);
}
EOF
probe NETIF_NAPI_ADD_TX "$@" <<'EOF'
#include <linux/netdevice.h>
void probe(struct net_device *dev, struct napi_struct *napi,
	   int (*poll)(struct napi_struct *, int))
{
	netif_napi_add_tx(dev, napi, poll);
}
EOF
probe NETIF_SET_TSO_MAX_SIZE "$@" <<'EOF'
#include <linux/netdevice.h>
void probe(struct net_device *dev) { netif_set_tso_max_size(dev, 1); }
EOF
probe PAGE_POOL_HELPERS_H "$@" <<'EOF'
#include <net/page_pool/helpers.h>
EOF
probe PANIC_NOTIFIER_H "$@" <<'EOF'
#include <linux/panic_notifier.h>
EOF
probe QUEUE_LIMITS_COMMIT_FROZEN "$@" <<'EOF'
#include <linux/blkdev.h>
int probe(struct request_queue *q, struct queue_limits *lim) { return queue_limits_commit_update_frozen(q, lim); }
EOF
probe RXFH_PARAM "$@" <<'EOF'
#include <linux/ethtool.h>
static int get(struct net_device *dev, struct ethtool_rxfh_param *rxfh) { return 0; }
struct ethtool_ops probe = { .get_rxfh = get };
EOF
probe SET_CAPACITY_AND_NOTIFY "$@" <<'EOF'
#include <linux/blkdev.h>
bool probe(struct gendisk *disk) { return set_capacity_and_notify(disk, 0); }
EOF
probe SKB_MARK_FOR_RECYCLE "$@" <<'EOF'
#include <linux/skbuff.h>
void probe(struct sk_buff *skb) { skb_mark_for_recycle(skb); }
EOF
probe U64_STATS_FETCH_IRQ "$@" <<'EOF'
#include <linux/u64_stats_sync.h>
unsigned int probe(struct u64_stats_sync *s) { return u64_stats_fetch_begin_irq(s); }
EOF
probe XDP_FEATURES "$@" <<'EOF'
#include <linux/netdevice.h>
void probe(struct net_device *dev) { dev->xdp_features = NETDEV_XDP_ACT_BASIC; }
EOF
probe XDP_RXQ_NAPI_ID "$@" <<'EOF'
#include <net/xdp.h>
int probe(struct xdp_rxq_info *rxq, struct net_device *dev) { return xdp_rxq_info_reg(rxq, dev, 0, 0); }
EOF
# --------------------------------------------------------------------------

wait
{
	echo "/* Made by probes.sh from the kernel tree; do not edit. */"
	for yes in "$dir"/*.yes; do
		name=$(basename "$yes" .yes)
		echo "#define XPV_HAVE_$name 1"
	done
} > "$out.tmp"
mv "$out.tmp" "$out"

// SPDX-License-Identifier: GPL-2.0
/*
 * The bus: devices that xenstore shows below device/, and their drivers.
 *
 * A watch on "device" queues the scan; the scan compares what xenstore lists with
 * the devices there are, adds and removes. Since one work item does all of it, a
 * device cannot be made twice, however events and scans race. A directory is a
 * device once it names a backend. Which one that is, is read when a driver is
 * bound, and by control work when no connection stands: the scan only tells it to
 * look, so grants made for one domain never serve another.
 *
 * Life: xpv_bus_start() registers the bus type, watches and scans;
 * xpv_bus_stop() ends both and unregisters the devices, each closing first. The
 * bus type stays until the last driver is gone, too: drivers hang on it. See
 * xenbus.h for the life of a device.
 * Locks: see xenbus.h.
 * Trust: names and backends come from the toolstack; malformed ones are skipped.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <xenpv/fault.h>

#include "phase.h"
#include "value.h"
#include "xenbus.h"

/* xenstored failed us: so soon do we scan again. */
#define SCAN_RETRY	(5 * HZ)
/* Longest backend directory that is believed, with its terminator. */
#define BACKEND_PATH_MAX	256

/* systemd and agents know the bus as "xen"; the native one may have that name. */
#if IS_ENABLED(CONFIG_XEN_XENBUS_FRONTEND)
#define BUS_NAME	"xenpv"
#else
#define BUS_NAME	"xen"
#endif

/* ---- who is the backend? ------------------------------------------------------- */

char *xpv_bus_read_backend(const char *node, domid_t *domid)
{
	char path[BACKEND_PATH_MAX], *dir;
	unsigned int len;
	char *text;
	u32 n;
	int err;

	text = xpv_xs_read(XPV_XS_NO_TX, node, "backend-id", &len);
	if (IS_ERR(text))
		return text;
	err = xpv_value_u32(text, len, &n);
	kfree(text);
	if (err || n >= DOMID_FIRST_RESERVED)
		return ERR_PTR(-ENOENT);
	*domid = n;
	text = xpv_xs_read(XPV_XS_NO_TX, node, "backend", &len);
	if (IS_ERR(text))
		return text;
	err = xpv_value_string(text, len, path, sizeof(path));
	kfree(text);
	if (err < 0 || path[0] != '/')
		return ERR_PTR(-ENOENT);
	dir = kstrdup(path, GFP_KERNEL);
	return dir ?: ERR_PTR(-ENOMEM);
}

/* ---- the bus type ------------------------------------------------------------- */

static int bus_match(struct device *dev, xpv_match_const struct device_driver *drv)
{
	return !strcmp(to_xpv_device(dev)->type, drv->name);
}

static int bus_uevent(xpv_uevent_const struct device *dev,
		      struct kobj_uevent_env *env)
{
	return add_uevent_var(env, "MODALIAS=xen:%s", to_xpv_device(dev)->type);
}

static int bus_probe(struct device *dev)
{
	struct xpv_device *xd = to_xpv_device(dev);
	const struct xpv_driver *drv = to_xpv_driver(dev->driver);
	char *backend;
	domid_t domid;
	int err;

	/* A device without a driver does not follow its nodes. */
	backend = xpv_bus_read_backend(xd->nodename, &domid);
	if (!IS_ERR(backend)) {
		kfree(xd->otherend);
		xd->otherend = backend;
		xd->otherend_id = domid;
	}
	err = drv->probe(xd);
	if (!err)
		xpv_control_start(xd, drv);
	return err;
}

static xpv_bus_remove_ret bus_remove(struct device *dev)
{
	struct xpv_device *xd = to_xpv_device(dev);
	const struct xpv_driver *drv = to_xpv_driver(dev->driver);

	xpv_control_stop(xd);
	drv->remove(xd);
	/* What a last event or kick has queued finds no driver; let it end. */
	cancel_delayed_work_sync(&xd->control);
	return XPV_BUS_REMOVED;
}

static ssize_t devtype_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%s\n", to_xpv_device(dev)->type);
}
static DEVICE_ATTR_RO(devtype);

static ssize_t nodename_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%s\n", to_xpv_device(dev)->nodename);
}
static DEVICE_ATTR_RO(nodename);

static ssize_t modalias_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "xen:%s\n", to_xpv_device(dev)->type);
}
static DEVICE_ATTR_RO(modalias);

/* Where the handshake stands: phase, our state, the backend's. */
static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	static const char * const phases[] = {
		[XPV_DOWN] = "down",
		[XPV_PREPARED] = "prepared",
		[XPV_LIVE] = "live",
		[XPV_BROKEN] = "broken",
	};
	const struct xpv_device *xd = to_xpv_device(dev);

	return sysfs_emit(buf, "%s %d %d\n", phases[READ_ONCE(xd->phase)],
			  READ_ONCE(xd->state), READ_ONCE(xd->backend));
}
static DEVICE_ATTR_RO(state);

/* What stands in error/device/TYPE/ID: "<errno> <text>", or nothing. */
static ssize_t last_error_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	return xpv_bus_show_error(to_xpv_device(dev), buf);
}
static DEVICE_ATTR_RO(last_error);

static struct attribute *device_attrs[] = {
	&dev_attr_devtype.attr,
	&dev_attr_nodename.attr,
	&dev_attr_modalias.attr,
	&dev_attr_state.attr,
	&dev_attr_last_error.attr,
	NULL
};
ATTRIBUTE_GROUPS(device);

static struct bus_type xpv_bus = {
	.name		= BUS_NAME,
	.match		= bus_match,
	.uevent		= bus_uevent,
	.probe		= bus_probe,
	.remove		= bus_remove,
	.dev_groups	= device_groups,
};

/* ---- devices ------------------------------------------------------------------- */

static LIST_HEAD(devices);
static unsigned int generation;

static void device_release(struct device *dev)
{
	struct xpv_device *xd = to_xpv_device(dev);

	kfree(xd->otherend);
	kfree(xd);
}

/* Takes over @otherend. */
static int add_device(const char *type, const char *id, char *otherend,
		      domid_t otherend_id)
{
	struct xpv_device *xd = kzalloc(sizeof(*xd), GFP_KERNEL);
	int err;

	if (!xd) {
		kfree(otherend);
		return -ENOMEM;
	}
	strscpy(xd->type, type, sizeof(xd->type));
	strscpy(xd->id, id, sizeof(xd->id));
	snprintf(xd->nodename, sizeof(xd->nodename), "device/%s/%s", type, id);
	xd->otherend = otherend;
	xd->otherend_id = otherend_id;
	xd->generation = generation;
	xpv_control_prepare(xd);
	device_initialize(&xd->dev);
	xd->dev.bus = &xpv_bus;
	xd->dev.release = device_release;
	err = dev_set_name(&xd->dev, "%s-%s", type, id);
	if (!err)
		err = device_add(&xd->dev);
	if (err) {
		put_device(&xd->dev);
		return err;
	}
	list_add_tail(&xd->list, &devices);
	return 0;
}

static void remove_device(struct xpv_device *xd)
{
	list_del(&xd->list);
	device_del(&xd->dev);
	/* xpv_control_gone() queues it for a device without a driver, too. */
	cancel_delayed_work_sync(&xd->control);
	put_device(&xd->dev);
}

static struct xpv_device *find_device(const char *type, const char *id)
{
	struct xpv_device *xd;

	list_for_each_entry(xd, &devices, list)
		if (!strcmp(xd->type, type) && !strcmp(xd->id, id))
			return xd;
	return NULL;
}

static int each(struct device *dev, void *fn)
{
	((void (*)(struct xpv_device *))fn)(to_xpv_device(dev));
	return 0;
}

void xpv_bus_each(void (*fn)(struct xpv_device *xd))
{
	bus_for_each_dev(&xpv_bus, NULL, fn, each);
}

/* ---- the scan -------------------------------------------------------------------- */

/* Return: 0, or an error of xenstore: the scan must not conclude anything. */
static int scan_device(const char *type, const char *id)
{
	char node[sizeof_field(struct xpv_device, nodename)];
	struct xpv_device *xd = find_device(type, id);
	domid_t domid;
	char *backend;
	int err;

	snprintf(node, sizeof(node), "device/%s/%s", type, id);
	backend = xpv_bus_read_backend(node, &domid);
	if (IS_ERR(backend))
		return PTR_ERR(backend) == -ENOENT ? 0 : PTR_ERR(backend);
	if (xd) {
		xd->generation = generation;
		kfree(backend);
		xpv_control_named(xd);
		return 0;
	}
	err = add_device(type, id, backend, domid);
	if (err)
		pr_err("cannot add %s-%s: %d\n", type, id, err);
	/* Nothing else would have us look again. */
	return err == -ENOMEM ? err : 0;
}

/* Names of a directory that does not exist: none. */
static char **list_names(const char *dir, const char *node, unsigned int *n)
{
	char **names = xpv_xs_directory(XPV_XS_NO_TX, dir, node, n);

	if (names == ERR_PTR(-ENOENT)) {
		*n = 0;
		return NULL;
	}
	return names;
}

static int scan_type(const char *type)
{
	unsigned int i, n;
	char **ids = list_names("device", type, &n);
	int err = 0;

	if (IS_ERR(ids))
		return PTR_ERR(ids);
	for (i = 0; i < n && !err; i++) {
		if (xpv_value_name(ids[i], XPV_ID_MAX))
			err = scan_device(type, ids[i]);
		else
			pr_warn_ratelimited("%s with a malformed name in device/ skipped\n",
					    type);
	}
	kfree(ids);
	return err;
}

static int scan_all(void)
{
	unsigned int i, n;
	char **types = list_names("device", "", &n);
	int err = 0;

	if (IS_ERR(types))
		return PTR_ERR(types);
	for (i = 0; i < n && !err; i++) {
		if (xpv_value_name(types[i], XPV_TYPE_MAX))
			err = scan_type(types[i]);
		else
			pr_warn_ratelimited("malformed name in device/ skipped\n");
	}
	kfree(types);
	return err;
}

/*
 * A scan takes a while, and one that was gone when it began may be there again, even in
 * use: a host that attaches the same number anew. If our keys are in that directory, the
 * device lives there already; else it goes, and the next scan finds a new one.
 * Return: 0, or an error of xenstore.
 */
static int see_again(struct xpv_device *xd)
{
	domid_t domid;
	char *backend = xpv_bus_read_backend(xd->nodename, &domid);
	int err;

	if (IS_ERR(backend))
		return PTR_ERR(backend) == -ENOENT ? 0 : PTR_ERR(backend);
	kfree(backend);
	err = xpv_announce_check(xd);
	if (err)
		return err == -ENOENT ? 0 : err;
	xd->generation = generation;
	xpv_control_named(xd);
	return 0;
}

/* Return: 0, or an error of xenstore. */
static int remove_unseen(void)
{
	struct xpv_device *xd, *next;
	int err;

	list_for_each_entry(xd, &devices, list) {
		err = xd->generation != generation ? see_again(xd) : 0;
		if (err)
			return err;
	}
	/* First tell all: none must wait while another one is closed. */
	list_for_each_entry(xd, &devices, list)
		if (xd->generation != generation)
			xpv_control_gone(xd);
	list_for_each_entry_safe(xd, next, &devices, list)
		if (xd->generation != generation)
			remove_device(xd);
	return 0;
}

static void scan(struct work_struct *work)
{
	bool counts = xpv_fault_enter(XPV_FAULT_FIND);
	int err;

	generation++;
	err = scan_all();
	if (!err)
		err = remove_unseen();
	xpv_fault_leave(XPV_FAULT_FIND, counts);
	if (!err)
		return;
	pr_err_ratelimited("cannot list devices, trying again: %d%s\n", err,
			   err == -E2BIG ? " (too many)" : "");
	xpv_control_queue(to_delayed_work(work), SCAN_RETRY);
}

static DECLARE_DELAYED_WORK(scan_work, scan);

/*
 * Something below device/ changed. What a frontend writes in its own directory,
 * three levels down, is of no interest, but for who its backend is.
 */
static void tree_event(struct xpv_watch *watch, const char *path)
{
	const char *at = path;
	const char *key = path;
	unsigned int depth = 0;

	while ((at = strchr(at, '/'))) {
		key = ++at;
		depth++;
	}
	if (depth > 3 || (depth == 3 && strcmp(key, "backend") &&
			  strcmp(key, "backend-id")))
		return;
	xpv_control_queue(&scan_work, 0);
}

static struct xpv_watch tree_watch = {
	.path	= "device",
	.fn	= tree_event,
};

/* ---- start, stop, drivers ---------------------------------------------------------- */

static DEFINE_MUTEX(bus_lock);
static bool started;
static bool registered;
static unsigned int drivers;

/* Under bus_lock. The type stays as long as anything hangs on it. */
static void put_bus_type(void)
{
	if (!registered || started || drivers)
		return;
	bus_unregister(&xpv_bus);
	registered = false;
}

static int get_bus_type(void)
{
	int err;

	if (registered)
		return 0;
	err = bus_register(&xpv_bus);
	registered = !err;
	return err;
}

static int start_locked(void)
{
	int err = xpv_control_init();

	if (err)
		return err;
	err = get_bus_type();
	if (err)
		goto err_control;
	/* Its first event comes at once and is the first scan. */
	err = xpv_xs_watch(&tree_watch);
	if (err)
		goto err_type;
	started = true;
	return 0;

err_type:
	put_bus_type();
err_control:
	xpv_control_exit();
	return err;
}

int xpv_bus_start(void)
{
	int err;

	mutex_lock(&bus_lock);
	err = start_locked();
	mutex_unlock(&bus_lock);
	if (err)
		pr_err("cannot start the bus " BUS_NAME ": %d\n", err);
	return err;
}

void xpv_bus_stop(void)
{
	struct xpv_device *xd, *next;

	mutex_lock(&bus_lock);
	if (started) {
		xpv_xs_unwatch(&tree_watch);
		cancel_delayed_work_sync(&scan_work);
		list_for_each_entry_safe(xd, next, &devices, list)
			remove_device(xd);
		started = false;
		put_bus_type();
		xpv_control_exit();
	}
	mutex_unlock(&bus_lock);
}

int __xpv_bus_register_driver(struct xpv_driver *drv, struct module *owner)
{
	int err = -ENODEV;

	mutex_lock(&bus_lock);
	if (started) {
		drv->driver.name = drv->type;
		drv->driver.owner = owner;
		drv->driver.bus = &xpv_bus;
		err = driver_register(&drv->driver);
		if (!err)
			drivers++;
	}
	mutex_unlock(&bus_lock);
	return err;
}
EXPORT_SYMBOL_GPL(__xpv_bus_register_driver);

void xpv_bus_unregister_driver(struct xpv_driver *drv)
{
	mutex_lock(&bus_lock);
	driver_unregister(&drv->driver);
	drivers--;
	put_bus_type();
	mutex_unlock(&bus_lock);
}
EXPORT_SYMBOL_GPL(xpv_bus_unregister_driver);

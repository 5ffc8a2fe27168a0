// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/xen/xenbus and /proc/xen: where programs reach xenstore.
 *
 * Bytes written are requests in xenstored's own format, in pieces of any size; bytes
 * read are answers and watch events. What they mean is opener.c's business. Names,
 * permissions and meaning are those of a kernel with Xen support of its own. There is
 * no node for hypercalls, and there will be none.
 *
 * What a program can cost: XPV_OPENER_REQUESTS messages, XPV_OPENER_EVENTS bytes of
 * events and XPV_OPENER_WATCHES of watches, together about 100 KiB and charged to its
 * memory group; there are XPV_ALL_OPENERS at most. Beyond, writing waits (or says
 * EAGAIN) until answers were read.
 *
 * Life: start makes the nodes, stop takes them away. An open file holds the module,
 * so it cannot be unloaded; when the platform device is unbound all the same, openers
 * are killed first, which ends every wait, and their files give ENODEV from then on.
 * Locks: openers_lock guards the list of openers, stopped and wq; over an opener's own.
 * Trust: programs may pass anything; only root can open the nodes.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "opener.h"
#include "xenbus.h"

/* Requests of programs that xenstored is busy with at once. */
#define SERVED_AT_ONCE	4

static DEFINE_MUTEX(openers_lock);
static LIST_HEAD(openers);
/* Nobody opens a node any more. */
static bool stopped = true;
/* Where openers are served; NULL: there is no platform. */
static struct workqueue_struct *wq;

static struct proc_dir_entry *proc_dir;
static bool have_node;

/* ---- open and close -------------------------------------------------------- */

static int dev_open(struct inode *inode, struct file *file)
{
	struct xpv_opener *op = ERR_PTR(-ENODEV);

	/* Held by files below /proc as by those of the device. */
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	mutex_lock(&openers_lock);
	if (!stopped)
		op = xpv_opener_create(wq);
	if (!IS_ERR(op))
		list_add(&op->list, &openers);
	mutex_unlock(&openers_lock);
	if (IS_ERR(op)) {
		module_put(THIS_MODULE);
		return PTR_ERR(op);
	}
	file->private_data = op;
	return stream_open(inode, file);
}

static int dev_release(struct inode *inode, struct file *file)
{
	struct xpv_opener *op = file->private_data;

	mutex_lock(&openers_lock);
	list_del(&op->list);
	if (op->wq)
		xpv_opener_close(op);
	else
		xpv_opener_free(op);
	mutex_unlock(&openers_lock);
	module_put(THIS_MODULE);
	return 0;
}

/* ---- reading ----------------------------------------------------------------- */

static int lock_for(struct file *file, struct mutex *lock)
{
	if (file->f_flags & O_NONBLOCK)
		return mutex_trylock(lock) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(lock) ? -ERESTARTSYS : 0;
}

/* @attempt until it says something else than EAGAIN; who does not wait is told that, too. */
static int wait_for(struct file *file, struct xpv_opener *op,
		    int (*attempt)(struct xpv_opener *op))
{
	int err, signal;

	if (file->f_flags & O_NONBLOCK)
		return attempt(op);
	signal = wait_event_interruptible(op->wait, (err = attempt(op)) != -EAGAIN);
	return signal ?: err;
}

static ssize_t dev_read(struct file *file, char __user *buf, size_t size,
			loff_t *pos)
{
	struct xpv_opener *op = file->private_data;
	ssize_t ret = lock_for(file, &op->read_lock);
	size_t n;

	if (ret)
		return ret;
	if (!size)
		goto out;
	if (op->out_at == op->out_len)
		ret = wait_for(file, op, xpv_opener_fetch);
	if (ret)
		goto out;
	n = min_t(size_t, size, op->out_len - op->out_at);
	n -= copy_to_user(buf, op->out + op->out_at, n);
	WRITE_ONCE(op->out_at, op->out_at + n);
	ret = n ?: -EFAULT;
out:
	mutex_unlock(&op->read_lock);
	return ret;
}

/* ---- writing ----------------------------------------------------------------- */

/* Room for a request, and for its answer, which takes the same place. */
static int begin_request(struct file *file, struct xpv_opener *op)
{
	int err = wait_for(file, op, xpv_opener_begin);

	if (err)
		return err;
	op->in = xpv_message_create(XENSTORE_PAYLOAD_MAX, GFP_KERNEL_ACCOUNT);
	op->in_len = 0;
	if (op->in)
		return 0;
	xpv_opener_cancel(op);
	return -ENOMEM;
}

/*
 * Take the next piece, of the header or of the body.
 * Return: how much; -errno, and then the request so far is forgotten if it cannot be.
 */
static ssize_t take_piece(struct xpv_opener *op, const char __user *buf,
			  size_t size)
{
	struct xpv_message *in = op->in;
	const u32 head = sizeof(in->header);
	char *to;
	size_t n;

	if (op->in_len < head) {
		to = (char *)&in->header + op->in_len;
		n = min_t(size_t, size, head - op->in_len);
	} else {
		to = in->body + (op->in_len - head);
		n = min_t(size_t, size, head + in->header.len - op->in_len);
	}
	if (copy_from_user(to, buf, n))
		return -EFAULT;
	op->in_len += n;
	if (op->in_len >= head && in->header.len > XENSTORE_PAYLOAD_MAX) {
		op->in = NULL;
		kfree(in);
		xpv_opener_cancel(op);
		return -E2BIG;
	}
	if (op->in_len >= head && op->in_len - head == in->header.len) {
		in->body[in->header.len] = '\0';
		op->in = NULL;
		xpv_opener_submit(op, in);
	}
	return n;
}

static ssize_t dev_write(struct file *file, const char __user *buf, size_t size,
			 loff_t *pos)
{
	struct xpv_opener *op = file->private_data;
	ssize_t ret = lock_for(file, &op->write_lock);
	size_t done = 0;

	if (ret)
		return ret;
	while (done < size) {
		ret = op->in ? 0 : begin_request(file, op);
		/* Also in the middle of a request. */
		if (READ_ONCE(op->dead))
			ret = -ENODEV;
		if (!ret)
			ret = take_piece(op, buf + done, size - done);
		if (ret < 0)
			break;
		done += ret;
	}
	mutex_unlock(&op->write_lock);
	/* Nonsense is told of at once, what only has to wait by the next call. */
	return done && ret != -E2BIG ? done : ret;
}

static __poll_t dev_poll(struct file *file, struct poll_table_struct *table)
{
	struct xpv_opener *op = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &op->wait, table);
	spin_lock(&op->lock);
	if (READ_ONCE(op->out_at) != READ_ONCE(op->out_len) ||
	    !list_empty(&op->to_read))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (op->requests < XPV_OPENER_REQUESTS || READ_ONCE(op->in))
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (op->dead)
		mask |= EPOLLERR | EPOLLHUP;
	spin_unlock(&op->lock);
	return mask;
}

/* ---- the nodes --------------------------------------------------------------- */

static const struct file_operations dev_fops = {
	.owner		= THIS_MODULE,
	.open		= dev_open,
	.release	= dev_release,
	.read		= dev_read,
	.write		= dev_write,
	.poll		= dev_poll,
};

/* Mode 0600: the default of devtmpfs. */
static struct miscdevice node = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "xen/xenbus",
	.fops	= &dev_fops,
};

static const struct proc_ops proc_xenbus_ops = {
	.proc_open	= dev_open,
	.proc_release	= dev_release,
	.proc_read	= dev_read,
	.proc_write	= dev_write,
	.proc_poll	= dev_poll,
};

/* Empty: this domain controls nothing. */
static ssize_t capabilities_read(struct file *file, char __user *buf,
				 size_t size, loff_t *pos)
{
	return 0;
}

static const struct proc_ops proc_capabilities_ops = {
	.proc_read	= capabilities_read,
};

static bool make_proc(void)
{
	proc_dir = proc_mkdir_mode("xen", 0755, NULL);
	return proc_dir &&
	       proc_create("xenbus", 0600, proc_dir, &proc_xenbus_ops) &&
	       proc_create("capabilities", 0444, proc_dir,
			   &proc_capabilities_ops);
}

void xpv_dev_start(void)
{
	struct workqueue_struct *made;
	int err;

	made = alloc_workqueue("xenstore-dev", WQ_UNBOUND, SERVED_AT_ONCE);
	if (!made) {
		pr_warn("no /dev/xen/xenbus for programs: %d\n", -ENOMEM);
		return;
	}
	mutex_lock(&openers_lock);
	wq = made;
	stopped = false;
	mutex_unlock(&openers_lock);
	err = misc_register(&node);
	have_node = !err;
	if (err)
		pr_warn("no /dev/xen/xenbus for programs: %d\n", err);
	if (IS_ENABLED(CONFIG_PROC_FS) && !make_proc())
		pr_warn("no /proc/xen for programs\n");
}

/* End all waits, and all that is at xenstored. */
static void kill_openers(void)
{
	struct xpv_opener *op;

	mutex_lock(&openers_lock);
	stopped = true;
	list_for_each_entry(op, &openers, list) {
		/* Others outlived a platform before. */
		if (op->wq)
			xpv_opener_kill(op);
	}
	mutex_unlock(&openers_lock);
	flush_workqueue(wq);
}

void xpv_dev_stop(void)
{
	struct workqueue_struct *gone;
	struct xpv_opener *op;

	if (!wq)
		return;
	if (have_node)
		misc_deregister(&node);
	have_node = false;
	kill_openers();
	/* Waits for those who are inside, and closes the files that are open. */
	proc_remove(proc_dir);
	proc_dir = NULL;
	mutex_lock(&openers_lock);
	gone = wq;
	wq = NULL;
	list_for_each_entry(op, &openers, list)
		op->wq = NULL;
	mutex_unlock(&openers_lock);
	/* Who closed meanwhile. */
	destroy_workqueue(gone);
}

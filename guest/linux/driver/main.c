// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/* redoubt.ko: /dev/redoubt. Design: guest/linux/README.md; interface: guest/linux/redoubt.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "driver.h"

int redoubt_ioc_status(struct redoubt_ioc_status *arg)
{
	struct redoubt_features features;
	int error = redoubt_error(redoubt_features(&features));

	*arg = (struct redoubt_ioc_status){
		.abi = redoubt_monitor.abi,
		.vendor = redoubt_monitor.vendor,
		.build = redoubt_monitor.build,
		.features = features.features,
		.degraded = features.degraded,
		.cpus = features.cpus,
	};
	return error;
}

union argument {
	struct redoubt_ioc_status status;
	struct redoubt_ioc_read read;
	struct redoubt_ioc_partition partition;
	struct redoubt_ioc_request request;
	struct redoubt_ioc_restart restart;
	struct redoubt_ioc_state_keep keep;
	struct redoubt_ioc_state_wait wait;
	struct redoubt_ioc_state_read take;
	struct redoubt_ioc_state_kept kept;
	struct redoubt_ioc_package package;
};

static int do_status(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_status(&arg->status);
}

static int do_log(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_log(file, &arg->read);
}

static int do_audit(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_audit(file, &arg->read);
}

static int do_partition(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_partition(&arg->partition);
}

static int do_request(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_request(&arg->request);
}

static int do_restart(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_restart(&arg->restart);
}

static int do_state_keep(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_state_keep(file, &arg->keep);
}

static int do_state_wait(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_state_wait(file, &arg->wait);
}

static int do_state_read(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_state_read(file, &arg->take);
}

static int do_state_kept(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_state_kept(file, &arg->kept);
}

static int do_package(struct redoubt_file *file, union argument *arg)
{
	return redoubt_ioc_package(&arg->package);
}

/* By number. `first` is the size of the first version: shorter ones never existed. */
static const struct operation {
	unsigned int cmd;
	size_t first;
	bool write; /* wants a descriptor open for writing */
	int (*carry_out)(struct redoubt_file *file, union argument *arg);
} operations[] = {
	{ REDOUBT_IOC_STATUS, 40, false, do_status },
	{ REDOUBT_IOC_LOG, 40, false, do_log },
	{ REDOUBT_IOC_AUDIT, 40, false, do_audit },
	{ REDOUBT_IOC_PARTITION, 128, false, do_partition },
	{ REDOUBT_IOC_REQUEST, 40, true, do_request },
	{ REDOUBT_IOC_RESTART, 8, true, do_restart },
	{ REDOUBT_IOC_STATE_KEEP, 8, true, do_state_keep },
	{ REDOUBT_IOC_STATE_WAIT, 16, true, do_state_wait },
	{ REDOUBT_IOC_STATE_READ, 32, true, do_state_read },
	{ REDOUBT_IOC_STATE_KEPT, 8, true, do_state_kept },
	{ REDOUBT_IOC_PACKAGE, 24, true, do_package },
};

static_assert(sizeof(struct redoubt_ioc_status) == 40);
static_assert(sizeof(struct redoubt_ioc_read) == 40);
static_assert(sizeof(struct redoubt_ioc_partition) == 128);
static_assert(sizeof(struct redoubt_ioc_request) == 40);
static_assert(sizeof(struct redoubt_ioc_restart) == 8);
static_assert(sizeof(struct redoubt_ioc_state_keep) == 8);
static_assert(sizeof(struct redoubt_ioc_state_wait) == 16);
static_assert(sizeof(struct redoubt_ioc_state_read) == 32);
static_assert(sizeof(struct redoubt_ioc_state_kept) == 8);
static_assert(sizeof(struct redoubt_ioc_package) == 24);

static const struct operation *operation_of(unsigned int cmd)
{
	unsigned int number = _IOC_NR(cmd);
	const struct operation *op;

	if (_IOC_TYPE(cmd) != REDOUBT_IOC || number >= ARRAY_SIZE(operations))
		return NULL;
	op = &operations[array_index_nospec(number, ARRAY_SIZE(operations))];
	if (_IOC_DIR(cmd) != _IOC_DIR(op->cmd) || _IOC_SIZE(cmd) < op->first)
		return NULL;
	return op;
}

static long redoubt_ioctl(struct file *filp, unsigned int cmd, unsigned long address)
{
	const struct operation *op = operation_of(cmd);
	void __user *user = (void __user *)address;
	union argument arg = {};
	size_t size;
	int error;

	if (!op)
		return -ENOTTY;
	if (op->write && !(filp->f_mode & FMODE_WRITE))
		return -EBADF;
	size = _IOC_SIZE(op->cmd);
	if (_IOC_DIR(cmd) & _IOC_WRITE) {
		error = copy_struct_from_user(&arg, size, user, _IOC_SIZE(cmd));
		if (error)
			return error;
	}
	error = op->carry_out(filp->private_data, &arg);
	if (error)
		return error;
	if (_IOC_DIR(cmd) & _IOC_READ) {
		/* What a newer caller has more was seen to be zero, or is to become so. */
		if (_IOC_SIZE(cmd) > size && clear_user(user + size, _IOC_SIZE(cmd) - size))
			return -EFAULT;
		if (copy_to_user(user, &arg, min_t(size_t, size, _IOC_SIZE(cmd))))
			return -EFAULT;
	}
	return 0;
}

static int redoubt_open(struct inode *inode, struct file *filp)
{
	struct redoubt_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	file->frame = (void *)get_zeroed_page(GFP_KERNEL);
	if (!file->frame) {
		kfree(file);
		return -ENOMEM;
	}
	mutex_init(&file->lock);
	file->gpa = virt_to_phys(file->frame);
	file->nonblock = filp->f_flags & O_NONBLOCK;
	filp->private_data = file;
	return nonseekable_open(inode, filp);
}

static int redoubt_release(struct inode *inode, struct file *filp)
{
	struct redoubt_file *file = filp->private_data;

	redoubt_state_release(file);
	memzero_explicit(file->frame, PAGE_SIZE);
	free_page((unsigned long)file->frame);
	kfree(file);
	return 0;
}

static const struct file_operations redoubt_fops = {
	.owner = THIS_MODULE,
	.open = redoubt_open,
	.release = redoubt_release,
	.unlocked_ioctl = redoubt_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = no_llseek,
};

static struct miscdevice redoubt_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "redoubt",
	.fops = &redoubt_fops,
	.groups = redoubt_groups,
	.mode = 0600,
};

static int __init redoubt_init(void)
{
	int error = redoubt_detect();

	if (error)
		return error;
	error = misc_register(&redoubt_device);
	if (error) {
		pr_err("cannot make the device: %d\n", error);
		return error;
	}
	pr_info("monitor %016llx, ABI %u.%u\n", redoubt_monitor.build, redoubt_monitor.abi >> 16,
		redoubt_monitor.abi & 0xffff);
	return 0;
}

static void __exit redoubt_exit(void)
{
	misc_deregister(&redoubt_device);
}

module_init(redoubt_init);
module_exit(redoubt_exit);
MODULE_DESCRIPTION("Calls to the Redoubt security monitor below this kernel");
MODULE_LICENSE("Dual BSD/GPL");

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/* /sys/class/misc/redoubt/: what runs below, for people and scripts. */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "driver.h"

struct word {
	u64 bit;
	const char *text;
};

#define FEATURE_WORD(name, bit, sentence)	 { BIT_ULL(bit), #name },
#define CLAIM_WORD(name, bit, claim, sentence) { BIT_ULL(bit), claim },

static const struct word features_words[] = { REDOUBT_FEATURES(FEATURE_WORD) {} };
static const struct word degraded_words[] = { REDOUBT_DEGRADED(CLAIM_WORD) {} };

/* The words of the bits set, and what a newer monitor sets as a number. */
static int emit_words(char *buf, const struct word *word, u64 bits)
{
	int at = 0;

	for (; word->text; word++) {
		if (bits & word->bit)
			at += sysfs_emit_at(buf, at, at ? " %s" : "%s", word->text);
		bits &= ~word->bit;
	}
	if (bits)
		at += sysfs_emit_at(buf, at, at ? " %#llx" : "%#llx", bits);
	return at + sysfs_emit_at(buf, at, "\n");
}

static ssize_t abi_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u.%u\n", redoubt_monitor.abi >> 16, redoubt_monitor.abi & 0xffff);
}
static DEVICE_ATTR_RO(abi);

static ssize_t build_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%016llx\n", redoubt_monitor.build);
}
static DEVICE_ATTR_RO(build);

static ssize_t vendor_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", redoubt_monitor.svm ? "svm" : "vmx");
}
static DEVICE_ATTR_RO(vendor);

static ssize_t features_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct redoubt_ioc_status status;
	int error = redoubt_ioc_status(&status);

	return error ?: emit_words(buf, features_words, status.features);
}
static DEVICE_ATTR_RO(features);

static ssize_t degraded_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct redoubt_ioc_status status;
	int error = redoubt_ioc_status(&status);

	return error ?: emit_words(buf, degraded_words, status.degraded);
}
static DEVICE_ATTR_RO(degraded);

static ssize_t cpus_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct redoubt_ioc_status status;
	int error = redoubt_ioc_status(&status);

	return error ?: sysfs_emit(buf, "%u\n", status.cpus);
}
static DEVICE_ATTR_RO(cpus);

static ssize_t partitions_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct redoubt_partition_info info;
	int at = 0;
	u32 number;

	for (number = 1; number <= REDOUBT_PARTITION_MAX; number++)
		if (!redoubt_partition_info(number, 0, &info))
			at += sysfs_emit_at(buf, at, at ? " %u" : "%u", number);
	return at + sysfs_emit_at(buf, at, "\n");
}
static DEVICE_ATTR_RO(partitions);

static struct attribute *redoubt_attrs[] = {
	&dev_attr_abi.attr,
	&dev_attr_build.attr,
	&dev_attr_vendor.attr,
	&dev_attr_features.attr,
	&dev_attr_degraded.attr,
	&dev_attr_cpus.attr,
	&dev_attr_partitions.attr,
	NULL
};

static umode_t redoubt_visible(struct kobject *kobj, struct attribute *attr, int index)
{
	if (attr == &dev_attr_partitions.attr && !redoubt_monitor.partitions)
		return 0;
	return attr->mode;
}

static const struct attribute_group redoubt_group = {
	.attrs = redoubt_attrs,
	.is_visible = redoubt_visible,
};

const struct attribute_group *redoubt_groups[] = { &redoubt_group, NULL };

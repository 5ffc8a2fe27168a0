/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a xenstore value means: strict parsers, one meaning a value.
 *
 * Pure: no locks, no allocation; the unit tests compile value.c as it stands.
 * All take the value with its length, because a value may hold NUL bytes; none
 * needs it to be terminated.
 */
#ifndef XENPV_VALUE_H
#define XENPV_VALUE_H

#include <linux/errno.h>
#include <linux/types.h>

/* Longest device type and id that make a device of ours. */
#define XPV_TYPE_MAX	15
#define XPV_ID_MAX	20

/**
 * xpv_value_u64() - a decimal number and nothing else
 * @s: the value
 * @len: its length
 * @value: set on success alone
 *
 * No sign, space, prefix, exponent or rest. Leading zeros are zeros.
 *
 * Return: 0, -EINVAL if it is not a number, -ERANGE if it does not fit.
 */
int xpv_value_u64(const char *s, u32 len, u64 *value);
int xpv_value_u32(const char *s, u32 len, u32 *value);

/**
 * xpv_value_limit() - a number that is made to fit
 * @s: the value
 * @len: its length; 0 means @def and is no error
 * @def: used when @s is no number
 * @min: smaller ones are raised to it
 * @max: larger ones are lowered to it
 * @value: always set
 *
 * Return: 0 if @value is what was said; -EINVAL: @def instead of garbage;
 * -ERANGE: a limit instead of what was said.
 */
int xpv_value_limit(const char *s, u32 len, u32 def, u32 min, u32 max,
		    u32 *value);

/**
 * xpv_value_flag() - is a feature on? Only "1" says so
 * @s: the value
 * @len: its length
 */
bool xpv_value_flag(const char *s, u32 len);

/**
 * xpv_value_string() - text that may be shown and compared
 * @s: the value
 * @len: its length
 * @buf: filled and terminated on success alone
 * @size: of @buf
 *
 * Return: length; -EINVAL with a NUL or a control character in it; -ERANGE if it
 * is longer than @size - 1.
 */
int xpv_value_string(const char *s, u32 len, char *buf, u32 size);

/**
 * xpv_value_state() - a xenbus state
 * @s: the value
 * @len: its length
 *
 * Return: XenbusStateUnknown (0) to XenbusStateReconfigured (8); what is none of
 * these is Unknown.
 */
int xpv_value_state(const char *s, u32 len);

/**
 * xpv_value_name() - may a directory's name become part of a device's name?
 * @s: the name, terminated
 * @max: longest that is taken
 *
 * Letters, digits, minus and underscore, at least one: nothing that means
 * something in a path, a shell or a format.
 */
bool xpv_value_name(const char *s, u32 max);

#endif /* XENPV_VALUE_H */

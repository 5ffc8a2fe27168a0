// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers of a connection: queues, largest frame, speed.
 *
 * Planned at prepare and at connect from what both sides allow, and when the
 * toolstack writes to the frontend's directory.
 *
 * Life, locks: none; the callers own everything.
 * Trust: what the backend offers may be any number, what the toolstack writes any
 * text. Pure: compiled unmodified into the unit tests.
 */
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/types.h>

#include "plan.h"
#include "wire.h"

/* IPv4's smallest MTU, and Ethernet's usual one. */
#define MTU_MIN		68u
#define MTU_ETHERNET	1500u
/* A Tbit/s, in bits. */
#define SPEED_MAX	1000000000000ull

static u32 lower(u32 a, u32 b)
{
	return a < b ? a : b;
}

/**
 * vnif_plan_limit() - queues that an interface needs room for
 * @cpus: CPUs that this guest may ever have
 * @max_queues: the administrator's limit; 0: none
 */
u32 vnif_plan_limit(u32 cpus, u32 max_queues)
{
	u32 limit = max_queues ? lower(max_queues, VNIF_QUEUES_MAX) :
				 lower(cpus, VNIF_QUEUES_DEFAULT);

	return limit ? limit : 1;
}

/**
 * vnif_plan_queues() - queues of the next connection
 * @wish: what both sides can do
 *
 * Return: at least one.
 */
u32 vnif_plan_queues(const struct vnif_wish *wish)
{
	u32 queues = wish->asked ? wish->asked : wish->cpus;

	queues = lower(lower(queues, wish->limit), wish->offered);
	return queues ? queues : 1;
}

/**
 * vnif_plan_max_mtu() - the largest MTU
 * @sg: a frame may take several slots
 */
u32 vnif_plan_max_mtu(bool sg)
{
	return sg ? VNIF_TX_MAX_LEN - VNIF_MIN_LEN : MTU_ETHERNET;
}

/**
 * vnif_plan_mtu() - what the toolstack's number is good for
 * @key: any number
 * @max: largest one for this connection
 */
u32 vnif_plan_mtu(u64 key, u32 max)
{
	if (key < MTU_MIN)
		return MTU_MIN;
	return key > max ? max : (u32)key;
}

/* Bits a second that the unit behind a number stands for; 0: no such unit. */
static u32 unit_bits(char unit)
{
	switch (unit) {
	case '\0':
		return 1;
	case 'k':
	case 'K':
		return 1000;
	case 'm':
	case 'M':
		return 1000000;
	case 'g':
	case 'G':
		return 1000000000;
	default:
		return 0;
	}
}

/**
 * vnif_plan_speed() - the toolstack's text for the speed of a link
 * @text: bits a second: "10000000000", "10G" or "10 G"
 * @mbps: set to Mbit/s
 *
 * Return: 0, or -EINVAL for anything else, nothing included.
 */
int vnif_plan_speed(const char *text, u32 *mbps)
{
	const char *at = text;
	u64 value = 0;
	u32 bits;

	while (*at >= '0' && *at <= '9' && value <= SPEED_MAX)
		value = value * 10 + (*at++ - '0');
	if (at == text || value > SPEED_MAX)
		return -EINVAL;
	if (*at == ' ')
		at++;
	bits = unit_bits(*at);
	if (!bits || (*at && at[1]))
		return -EINVAL;
	if (value > div_u64(SPEED_MAX, bits))
		return -EINVAL;
	value = div_u64(value * bits, 1000000);
	if (!value)
		return -EINVAL;
	*mbps = value;
	return 0;
}

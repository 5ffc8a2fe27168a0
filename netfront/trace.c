// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of trace.h, made once a module.
 *
 * Life: from the module's load to its unload; the tracing core knows them by then.
 * Locks: none.
 * Trust: what is recorded was checked, or is the backend's and only shown.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"

/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes that the headers use: what must be checked, and what is like printf. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUST_USE	     __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, va) __attribute__((format(printf, fmt, va)))
#define COUNT_OF(array)	     (sizeof(array) / sizeof((array)[0]))

/* For a function that has much on its stack, and is called where there is much already. */
#define APART __attribute__((noinline))

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The common passwords of at least PASSWORD_MIN characters, in lower case and the order of strcmp(). The build writes them:
 * tools/common_passwords.py. */
#ifndef AUTH_COMMON_PASSWORDS_H
#define AUTH_COMMON_PASSWORDS_H

#include <stddef.h>

extern const char *const common_passwords[];
extern const size_t common_passwords_count;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies that the Auth service's actions take, as tables of fields. */
#ifndef AUTH_BODIES_H
#define AUTH_BODIES_H

#include "model/resource.h"

extern const struct resource body_register, body_email, body_token, body_login, body_refresh,
	body_password, body_reset, body_change_password, body_change_email, body_code, body_me,
	body_relation, body_key, body_rotate, body_exchange, body_complete, body_identity;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Auth service: accounts, sessions, second factors, roles, relations and API keys. Its rows are in service.c; each
 * function named there is declared here, by file. OWASP ASVS 5.0 level 2, V6 (authentication) and V7 (sessions).
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "api/request.h"
#include "base/attr.h"
#include "model/resource.h"

extern const struct service auth_service;
extern const struct resource person_resource, role_resource;

/* account.c: from an address to an account */
int auth_register(struct request *r) MUST_USE;
int auth_resend(struct request *r) MUST_USE;
int auth_verify(struct request *r) MUST_USE;
/* login.c */
int auth_login(struct request *r) MUST_USE;
int auth_reauthenticate(struct request *r) MUST_USE;
/* session.c */
int auth_refresh(struct request *r) MUST_USE;
int auth_logout(struct request *r) MUST_USE;
int auth_sessions(struct request *r) MUST_USE;
int auth_session_end(struct request *r) MUST_USE;
int auth_sessions_end(struct request *r) MUST_USE;
/* recover.c: passwords and addresses that change */
int auth_forgotten(struct request *r) MUST_USE;
int auth_reset(struct request *r) MUST_USE;
int auth_password(struct request *r) MUST_USE;
int auth_email(struct request *r) MUST_USE;
int auth_email_confirm(struct request *r) MUST_USE;
/* oauth.c: sign-in with an account elsewhere */
int auth_oauth_begin(struct request *r) MUST_USE;
int auth_oauth_callback(struct request *r) MUST_USE;
extern const struct filter oauth_begin_parameters[], oauth_callback_parameters[];
/* oauth_code.c */
int auth_oauth_exchange(struct request *r) MUST_USE;
int auth_oauth_complete(struct request *r) MUST_USE;
int auth_identity_link(struct request *r) MUST_USE;
/* oauth_identity.c */
int auth_identity_begin(struct request *r) MUST_USE;
int auth_identity_unlink(struct request *r) MUST_USE;
/* second_factor.c */
int auth_totp_begin(struct request *r) MUST_USE;
int auth_totp_confirm(struct request *r) MUST_USE;
int auth_totp_end(struct request *r) MUST_USE;
int auth_recovery_codes(struct request *r) MUST_USE;
/* me.c */
int auth_me(struct request *r) MUST_USE;
int auth_me_update(struct request *r) MUST_USE;
int auth_me_erase(struct request *r) MUST_USE;
int auth_me_restore(struct request *r) MUST_USE;
int auth_me_export(struct request *r) MUST_USE;
/* people.c: what staff do with other people's accounts */
int auth_role_grant(struct request *r) MUST_USE;
int auth_role_revoke(struct request *r) MUST_USE;
int auth_person_sign_out(struct request *r) MUST_USE;
/* relation.c */
int auth_relations(struct request *r) MUST_USE;
int auth_relation_grant(struct request *r) MUST_USE;
int auth_relation_revoke(struct request *r) MUST_USE;
extern const struct filter relation_parameters[];
/* api_keys.c */
int auth_keys(struct request *r) MUST_USE;
int auth_key_create(struct request *r) MUST_USE;
int auth_key_rotate(struct request *r) MUST_USE;
int auth_key_revoke(struct request *r) MUST_USE;

#endif

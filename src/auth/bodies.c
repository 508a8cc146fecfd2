/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of each body. A field that several have is one row, so that it reads the same everywhere. */
#include "auth/bodies.h"

#include "auth/password.h"
#include "base/banned.h"

#define EMAIL_FIELD(text)                                                                          \
	{                                                                                          \
		.name = "email", .type = EMAIL, .flags = REQUIRED, .max = 254,                     \
		.example = "\"alex@example.org\"", .doc = (text)                                   \
	}
#define NAME_FIELD                                                                                 \
	{                                                                                          \
		.name = "name", .type = TEXT, .flags = REQUIRED, .min = 1, .max = 100,             \
		.example = "\"Alex Marsh\"", .doc = "As one wants to be called."                   \
	}
#define NEW_PASSWORD_FIELD(key)                                                                    \
	{                                                                                          \
		.name = (key), .type = SECRET, .flags = REQUIRED, .min = PASSWORD_MIN,             \
		.max = PASSWORD_MAX, .example = "\"seven green herons\"",                          \
		.doc = "8 to 128 characters of any kind; not a common password, nor the address."  \
	}
/* Of a password that exists nothing is said but whether it is right. */
#define PASSWORD_FIELD                                                                             \
	{                                                                                          \
		.name = "password", .type = SECRET, .flags = REQUIRED, .min = 1,                   \
		.max = PASSWORD_MAX, .example = "\"seven green herons\"",                          \
		.doc = "The account's password."                                                   \
	}
#define CODE_FIELD(more)                                                                               \
	{                                                                                              \
		.name = "code", .type = SECRET, .flags = (more), .min = 1, .max = 20,                  \
		.example = "\"123456\"",                                                               \
		.doc = "Of the authenticator app, or a recovery code, where there is a second factor." \
	}
#define TOKEN_FIELD(key, text)                                                                     \
	{                                                                                          \
		.name = (key), .type = SECRET, .flags = REQUIRED, .min = 1, .max = 200,            \
		.example = "\"dGhpcyBpcyBhIHRva2VuIG9mIDI1NiBiaXRz\"", .doc = (text)               \
	}

static const struct field register_fields[] = {
	EMAIL_FIELD("Where the link goes."), NEW_PASSWORD_FIELD("password"), NAME_FIELD, { 0 }
};
static const struct field email_fields[] = { EMAIL_FIELD("The account's address."), { 0 } };
static const struct field token_fields[] = { TOKEN_FIELD("token", "Of the mail's link."), { 0 } };
static const struct field login_fields[] = {
	EMAIL_FIELD("The account's address."), PASSWORD_FIELD, CODE_FIELD(0), { 0 }
};
static const struct field refresh_fields[] = { TOKEN_FIELD("refresh_token", "The newest one."),
					       { 0 } };
static const struct field password_fields[] = { PASSWORD_FIELD, CODE_FIELD(0), { 0 } };
static const struct field reset_fields[] = { TOKEN_FIELD("token", "Of the mail's link."),
					     NEW_PASSWORD_FIELD("password"),
					     { 0 } };
static const struct field change_password_fields[] = {
	PASSWORD_FIELD, CODE_FIELD(0), NEW_PASSWORD_FIELD("new_password"), { 0 }
};
static const struct field change_email_fields[] = {
	EMAIL_FIELD("The new address."), PASSWORD_FIELD, CODE_FIELD(0), { 0 }
};
static const struct field code_fields[] = { CODE_FIELD(REQUIRED), { 0 } };
#define VERIFIER_FIELD                                                                             \
	{                                                                                          \
		.name = "code_verifier", .type = SECRET, .flags = REQUIRED, .min = 43, .max = 128, \
		.example = "\"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\"",                      \
		.doc = "Of the challenge that it began with (RFC 7636)."                           \
	}

static const struct field exchange_fields[] = { TOKEN_FIELD("code", "Of the address."),
						VERIFIER_FIELD,
						{ 0 } };
static const struct field complete_fields[] = { TOKEN_FIELD("token", "`pending` of the address."),
						CODE_FIELD(REQUIRED),
						VERIFIER_FIELD,
						{ 0 } };
static const struct field identity_fields[] = {
	{ .name = "code_challenge",
	  .type = SECRET,
	  .flags = REQUIRED,
	  .min = 43,
	  .max = 43,
	  .example = "\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\"",
	  .doc = "S256 challenge of a verifier that the front end keeps (RFC 7636)." },
	{ .name = "return_to",
	  .type = SECRET,
	  .min = 1,
	  .max = 2000,
	  .example = "\"https://town.example/signed-in\"",
	  .doc = "Where to go in the end: one of GUILDFORD_OAUTH_RETURN_URLS, the first of them by default." },
	{ 0 },
};
static const struct field me_fields[] = { NAME_FIELD, { 0 } };
static const struct field relation_fields[] = {
	{ .name = "resource",
	  .type = SLUG,
	  .flags = REQUIRED,
	  .max = 40,
	  .example = "\"business\"",
	  .doc = "What kind of thing." },
	{ .name = "resource_id",
	  .type = UUID,
	  .flags = REQUIRED,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03\"",
	  .doc = "Which." },
	{ .name = "relation",
	  .type = ENUM,
	  .flags = REQUIRED,
	  .choices = "owner|manager|staff|organiser",
	  .example = "\"manager\"",
	  .doc = "What they are to be." },
	EMAIL_FIELD("Address of who is to be it."),
	{ 0 },
};
static const struct field key_fields[] = {
	{ .name = "name",
	  .type = TEXT,
	  .flags = REQUIRED,
	  .min = 1,
	  .max = 100,
	  .example = "\"Till at the counter\"",
	  .doc = "What it is for." },
	{ .name = "scopes",
	  .type = TEXT,
	  .flags = MANY | REQUIRED,
	  .min = 1,
	  .max = 80,
	  .max_items = 50,
	  .example = "[\"business:update\"]",
	  .doc = "What it may be used for, as in a role's permissions." },
	{ .name = "days",
	  .type = INT,
	  .min = 1,
	  .max = 730,
	  .example = "90",
	  .doc = "How long it is good; 90 by default." },
	{ .name = "quota",
	  .type = INT,
	  .min = 1,
	  .max = 100,
	  .example = "60",
	  .doc = "Requests a minute, instead of a person's." },
	{ 0 },
};
static const struct field rotate_fields[] = {
	{ .name = "overlap_hours",
	  .type = INT,
	  .min = 0,
	  .max = 168,
	  .example = "24",
	  .doc = "How long the old key goes on; 24 by default." },
	{ 0 },
};

const struct resource body_register = { .name = "registration",
					.fields = register_fields,
					.doc = "A registration." };
const struct resource body_email = { .name = "request",
				     .fields = email_fields,
				     .doc = "An address." };
const struct resource body_token = { .name = "confirmation",
				     .fields = token_fields,
				     .doc = "A token." };
const struct resource body_login = { .name = "sign-in",
				     .fields = login_fields,
				     .doc = "A sign-in." };
const struct resource body_refresh = { .name = "refresh",
				       .fields = refresh_fields,
				       .doc = "A refresh." };
const struct resource body_password = { .name = "sign-in",
					.fields = password_fields,
					.doc = "Who one is." };
const struct resource body_reset = { .name = "reset",
				     .fields = reset_fields,
				     .doc = "A new password." };
const struct resource body_change_password = { .name = "change",
					       .fields = change_password_fields,
					       .doc = "A new password for the old one." };
const struct resource body_change_email = { .name = "change",
					    .fields = change_email_fields,
					    .doc = "A new address." };
const struct resource body_code = { .name = "confirmation",
				    .fields = code_fields,
				    .doc = "A code." };
const struct resource body_me = { .name = "account",
				  .fields = me_fields,
				  .doc = "What one can change of one's account." };
const struct resource body_relation = { .name = "relation",
					.fields = relation_fields,
					.doc = "A relation to give." };
const struct resource body_key = { .name = "key", .fields = key_fields, .doc = "A key to make." };
const struct resource body_rotate = { .name = "rotation",
				      .fields = rotate_fields,
				      .doc = "How to rotate." };
const struct resource body_exchange = { .name = "exchange",
					.fields = exchange_fields,
					.doc = "A code of the address." };
const struct resource body_complete = { .name = "completion",
					.fields = complete_fields,
					.doc = "A second factor." };
const struct resource body_identity = { .name = "identity",
					.fields = identity_fields,
					.doc = "A link to begin." };

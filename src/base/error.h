/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `errors` table: every code that the API can answer, its HTTP status and its text. One row here is all that a new
 * error needs; the envelope, problem+json, OpenAPI and the error catalogue come from it.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

enum error_code {
	OK = 0,
	E_BAD_REQUEST,
	E_VALIDATION,
	E_UNAUTHORIZED,
	E_CODE_REQUIRED,
	E_FORBIDDEN,
	E_STEP_UP,
	E_NOT_FOUND,
	E_METHOD_NOT_ALLOWED,
	E_NOT_ACCEPTABLE,
	E_REQUEST_TIMEOUT,
	E_CONFLICT,
	E_DUPLICATE,
	E_PRECONDITION_FAILED,
	E_PAYLOAD_TOO_LARGE,
	E_URI_TOO_LONG,
	E_UNSUPPORTED_MEDIA_TYPE,
	E_EXPECTATION_FAILED,
	E_HEADERS_TOO_LARGE,
	E_INTERNAL,
	E_NOT_IMPLEMENTED,
	E_UNAVAILABLE,
	E_TIMEOUT,
	E_HTTP_VERSION,
	E_RATE_LIMITED,
	ERROR_CODES /* how many there are */
};

struct error_row {
	const char *code;  /* "VALIDATION_ERROR": what clients compare */
	int status;	   /* HTTP status (RFC 9110) */
	const char *title; /* the default message, and problem+json's title */
	const char *doc;   /* when it is answered and what to do about it */
	const char *type;  /* problem+json's type, a registered URI; NULL: about:blank */
};

extern const struct error_row errors[ERROR_CODES];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of texts that the world has agreed on. Each function takes any text and gives it in its normal spelling, a child
 * of `mem`, or NULL when it is not of the format; normal spellings stay as they are. Nothing waits.
 */
#ifndef BASE_FORMATS_H
#define BASE_FORMATS_H

#include <talloc.h>

/* A mailbox (RFC 5321 section 4.1.2), at most 254 bytes, trimmed. */
char *format_email(TALLOC_CTX *mem, const char *text);
/* An absolute http or https URL (RFC 3986) with a domain name and without user information, at most 2,000 bytes, trimmed. */
char *format_url(TALLOC_CTX *mem, const char *text);
/* A phone number as ITU-T E.164 has it: "+", a country code that does not begin with 0, 7 to 15 digits. Blanks, dashes, dots
 * and brackets are taken out, a leading 0 becomes +44. */
char *format_phone(TALLOC_CTX *mem, const char *text);
/* A UK postcode, "A1 1AA": the shapes of BS 7666, A9, A99, AA9, AA99, A9A, AA9A, then 9AA without C I K M O V. */
char *format_postcode(TALLOC_CTX *mem, const char *text);
/* An ISO 3166-1 alpha-2 code in capitals. "UK" is none: who writes it means GB, and would go without the check of the
 * postcode. */
char *format_country(TALLOC_CTX *mem, const char *text);
/* An IANA time zone: known when the system's zone database has a file of that name. */
char *format_zone(TALLOC_CTX *mem, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codes that people read, say and type: Crockford's base32, five random bits a character, without letters that are taken for
 * digits. Nothing waits.
 */
#ifndef BASE_CODE_TEXT_H
#define BASE_CODE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"

enum { CODE_TEXT_MAX = 32 };

/* Fills `code` with `length` (CODE_TEXT_MAX at most) random characters and a NUL. */
void code_text_make(char *code, size_t length);
/* Reads one as somebody typed it: capitals or not, dashes and blanks anywhere, O for 0, I and L for 1. False when it is
 * none of that length; `code` holds length + 1 bytes. */
bool code_text_read(const char *typed, char *code, size_t length) MUST_USE;

#endif

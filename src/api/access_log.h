/* SPDX-License-Identifier: Apache-2.0 */
/* What is told about an answered request: the Server-Timing header and the log line. No secrets: no query string, no
 * headers but the request id, no bodies. */
#ifndef API_ACCESS_LOG_H
#define API_ACCESS_LOG_H

#include <stdint.h>
#include "api/request.h"

void access_log_timing(struct request *r, uint64_t total_us);
void access_log_write(struct request *r, uint64_t total_us);

#endif

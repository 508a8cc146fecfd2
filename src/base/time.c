/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and timestamps; see time.h. */
#include "base/time.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

uint64_t time_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t time_unix_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void two(char *out, int value)
{
	out[0] = (char)('0' + value / 10 % 10);
	out[1] = (char)('0' + value % 10);
}

/* On every log line's way: the calendar part is kept for as long as the second lasts. */
void time_format(uint64_t unix_ms, char *out)
{
	static time_t kept_second = -1;
	static char kept[] = "0000-00-00T00:00:00.000Z";
	time_t second = (time_t)(unix_ms / 1000);
	int ms = (int)(unix_ms % 1000);
	struct tm tm;

	if (second != kept_second) {
		gmtime_r(&second, &tm);
		two(kept, (tm.tm_year + 1900) / 100);
		two(kept + 2, (tm.tm_year + 1900) % 100);
		two(kept + 5, tm.tm_mon + 1);
		two(kept + 8, tm.tm_mday);
		two(kept + 11, tm.tm_hour);
		two(kept + 14, tm.tm_min);
		two(kept + 17, tm.tm_sec);
		kept_second = second;
	}
	memcpy(out, kept, sizeof(kept));
	out[20] = (char)('0' + ms / 100);
	two(out + 21, ms % 100);
}

void time_format_http(uint64_t unix_ms, char *out)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t second = (time_t)(unix_ms / 1000);
	struct tm tm;

	gmtime_r(&second, &tm);
	snprintf(out, TIME_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
		 tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		 tm.tm_sec);
}

size_t time_from_pg(const char *text, size_t len, char *out)
{
	/* "2026-11-24 05:03:48[.123456]+00" */
	if (len < 22 || len > TIME_TEXT_MAX - 2 || text[10] != ' ' ||
	    memcmp(text + len - 3, "+00", 3) != 0)
		return 0;
	memcpy(out, text, len - 3);
	out[10] = 'T';
	out[len - 3] = 'Z';
	out[len - 2] = '\0';
	return len - 2;
}

static bool digits_at(const char *text, const char *shape)
{
	for (; *shape; shape++, text++)
		if (*shape == '9' ? !isdigit((unsigned char)*text) : *text != *shape)
			return false;
	return true;
}

static int number(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

static bool is_calendar_date(const char *text)
{
	static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = number(text) * 100 + number(text + 2), month = number(text + 5),
	    day = number(text + 8);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month >= 1 && month <= 12 && day >= 1 && day <= lengths[month - 1] &&
	       (month != 2 || day < 29 || leap);
}

bool time_is_date(const char *text)
{
	return strlen(text) == 10 && digits_at(text, "9999-99-99") && is_calendar_date(text);
}

bool time_is_local(const char *text)
{
	size_t len = strlen(text);

	if ((len != 16 && len != 19) || !digits_at(text, "9999-99-99T99:99") ||
	    !is_calendar_date(text))
		return false;
	if (len == 19 && (!digits_at(text + 16, ":99") || number(text + 17) > 59))
		return false;
	return number(text + 11) <= 23 && number(text + 14) <= 59;
}

bool time_is_rfc3339(const char *text)
{
	const char *zone;

	if (strlen(text) < 20 || strlen(text) > 40 || !digits_at(text, "9999-99-99") ||
	    !is_calendar_date(text) || (text[10] != 'T' && text[10] != 't') ||
	    !digits_at(text + 11, "99:99:99"))
		return false;
	if (number(text + 11) > 23 || number(text + 14) > 59 || number(text + 17) > 60)
		return false;
	zone = text + 19;
	if (*zone == '.') {
		size_t n = strspn(zone + 1, "0123456789");

		if (n == 0 || n > 9)
			return false;
		zone += 1 + n;
	}
	if ((*zone == 'Z' || *zone == 'z') && zone[1] == '\0')
		return true;
	return (*zone == '+' || *zone == '-') && strlen(zone) == 6 &&
	       digits_at(zone + 1, "99:99") && number(zone + 1) < 24 && number(zone + 4) < 60;
}

void time_set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

struct tm time_local(int64_t unix_s)
{
	time_t second = (time_t)unix_s;
	struct tm tm;

	localtime_r(&second, &tm);
	return tm;
}

int64_t time_from_local(int year, int month, int day, int hour, int minute)
{
	struct tm tm = { .tm_year = year - 1900,
			 .tm_mon = month - 1,
			 .tm_mday = day,
			 .tm_hour = hour,
			 .tm_min = minute,
			 .tm_isdst = -1 };

	return mktime(&tm);
}

int64_t time_from_rfc3339(const char *text)
{
	struct tm tm = { .tm_year = number(text) * 100 + number(text + 2) - 1900,
			 .tm_mon = number(text + 5) - 1,
			 .tm_mday = number(text + 8),
			 .tm_hour = number(text + 11),
			 .tm_min = number(text + 14),
			 .tm_sec = number(text + 17) };
	const char *sign = strpbrk(text + 19, "+-");
	int offset = sign ? (number(sign + 1) * 60 + number(sign + 4)) * 60 : 0;

	return timegm(&tm) - (sign && *sign == '-' ? -offset : offset);
}

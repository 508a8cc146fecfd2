/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that this program must not make, turned into compile errors: those that block the loop and those that overrun
 * or misparse strings. Every .c file includes this header last. A place that may block (the supervisor, a command that
 * runs before any loop) says so by #undef and a reason.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#define BANNED(call) use_of_##call##_is_banned

/* they block the loop */
#undef sleep
#define sleep(...) BANNED(sleep)
#undef usleep
#define usleep(...) BANNED(usleep)
#undef getaddrinfo
#define getaddrinfo(...) BANNED(getaddrinfo)
#undef gethostbyname
#define gethostbyname(...) BANNED(gethostbyname)
#undef system
#define system(...) BANNED(system)
#undef popen
#define popen(...) BANNED(popen)
#undef PQexec
#define PQexec(...) BANNED(PQexec)
#undef PQexecParams
#define PQexecParams(...) BANNED(PQexecParams)
#undef PQexecPrepared
#define PQexecPrepared(...) BANNED(PQexecPrepared)
#undef PQprepare
#define PQprepare(...) BANNED(PQprepare)
#undef PQconnectdb
#define PQconnectdb(...) BANNED(PQconnectdb)
#undef PQconnectdbParams
#define PQconnectdbParams(...) BANNED(PQconnectdbParams)

/* they do not know how long their strings are, or hide errors */
#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)
#undef atof
#define atof(...) BANNED(atof)
#undef gmtime
#define gmtime(...) BANNED(gmtime)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef ctime
#define ctime(...) BANNED(ctime)
#undef alloca
#define alloca(...) BANNED(alloca)

#endif

/* platform/win32: what the files of platform/policy share. */
#ifndef FERRY_WIN32_POLICY_WIN32_H
#define FERRY_WIN32_POLICY_WIN32_H

#include "platform/policy.h"
#include "platform/win32/win32.h"

#define POLICY_PARENT L"SOFTWARE\\Policies"
#define POLICY_KEY POLICY_PARENT L"\\Ferry"

static inline void key_cleanup(HKEY *key)
{
	if (*key != NULL)
		RegCloseKey(*key);
}

/* The values as they are at this moment, maybe in the middle of being written. */
enum result policy_read_now(struct buffer *to, struct fault *fault) MUST_CHECK;

#endif

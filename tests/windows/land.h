/* tests/windows - all that a file worker does in a folder, for act_as(), and whom the folder lets. */
#ifndef FERRY_TESTS_WINDOWS_LAND_H
#define FERRY_TESTS_WINDOWS_LAND_H

#include "windows_only.h"

#include "platform/file.h"

struct landing {
	const char *folder;
	enum result opened, asked, asked_name, created, written, renamed, removed, below;
	bool is_below;
	const char *own_folder;
};

static inline void land(void *argument)
{
	struct landing *landing = argument;
	AUTO(folder) struct folder *folder = NULL;
	AUTO(file_handle) struct file_handle *file = NULL;
	AUTO(file_handle) struct file_handle *other = NULL;
	landing->opened = folder_open(landing->folder, &folder, NULL);
	if (landing->opened != RESULT_OK)
		return;
	if (landing->own_folder)
		landing->below = folder_is_below(folder, landing->own_folder, &landing->is_below, NULL);
	landing->asked = folder_check_writable(folder, NULL);
	landing->asked_name = folder_check_name(folder, "final", NULL);
	landing->created = file_create(folder, "part", &file, NULL);
	if (landing->created != RESULT_OK)
		return;
	landing->written = file_write(file, 0, "whole", 5, NULL);
	landing->renamed = file_rename(folder, file, "part", "final", NULL);
	landing->removed = file_create(folder, "other", &other, NULL);
	if (landing->removed == RESULT_OK)
		landing->removed = file_remove(folder, other, "other", NULL);
}

/* Nothing inherited. */
static inline void set_list(const char *path, const char *sddl)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	assert_int_equal(security_descriptor(sddl, &descriptor, NULL), RESULT_OK);
	assert_true(SetFileSecurityA(path, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, descriptor));
	LocalFree(descriptor);
}

#endif

/* What the tests of platform/file share: a folder of the test's own, open as `folder`. */
#ifndef FERRY_TESTS_FILE_SCENE_H
#define FERRY_TESTS_FILE_SCENE_H

#include "ground.h"

#include <stdlib.h>
#include <string.h>

#include "platform/file.h"

struct scene {
	char path[GROUND_PATH_BYTES_MAX];
	struct folder *folder;
	struct fault fault;
};

static inline int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	if (!scene)
		return -1;
	ground_set_up(scene->path);
	*state = scene;
	return folder_open(scene->path, &scene->folder, &scene->fault) == RESULT_OK ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct scene *scene = *state;
	folder_free(scene->folder);
	ground_tear_down(scene->path);
	free(scene);
	return 0;
}

/* The path of a name in the folder; good for three more calls. */
static inline const char *in(struct scene *scene, const char *name)
{
	static char paths[4][GROUND_PATH_BYTES_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];
	ground_path(path, scene->path, name);
	return path;
}

#endif

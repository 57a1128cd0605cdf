#include "platform/ipc_output.h"

#include <stdlib.h>
#include <string.h>

enum result ipc_output_add(struct ipc_outputs *outputs, struct text_view message, size_t bytes_max)
{
	if (message.length > bytes_max - outputs->bytes)
		return RESULT_TOO_LARGE;
	struct ipc_output *output = malloc(sizeof(*output) + message.length);
	if (!output)
		return RESULT_NO_MEMORY;
	*output = (struct ipc_output){ .length = message.length };
	if (message.length > 0)
		memcpy(output->bytes, message.bytes, message.length);
	*(outputs->first ? &outputs->last->next : &outputs->first) = output;
	outputs->last = output;
	outputs->bytes += message.length;
	return RESULT_OK;
}

void ipc_output_drop_first(struct ipc_outputs *outputs)
{
	struct ipc_output *output = outputs->first;
	outputs->bytes -= output->length;
	outputs->first = output->next;
	text_wipe(output->bytes, output->length); /* an answer may hold a job's headers */
	free(output);
}

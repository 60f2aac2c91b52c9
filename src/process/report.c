#include "process/report.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"

#include <stdlib.h>
#include <unistd.h>

static void add(struct buffer *out, size_t count, const char *const *fields)
{
	struct snapshot_record record = { .count = count };

	for (size_t i = 0; i < count; i++)
		record.fields[i] = slice_of(fields[i]);
	snapshot_add(out, &record);
}

static void add_process(struct buffer *out, enum process process,
			const struct supervisor_child *child)
{
	char *pid = xasprintf("%d", child->pid), *starts = xasprintf("%u", child->starts);
	const char *state = child->ready ? "running" : child->pid ? "starting" : "down";

	add(out, 6,
	    (const char *[]){ "process", process_name(process), pid, state, starts,
			      child->last_end });
	free(pid);
	free(starts);
}

void report_write(struct buffer *out, const struct node *node, const struct supervisor *supervisor,
		  const struct listeners *listeners)
{
	const struct supervisor_child ourselves = { true, true, (int)getpid(), 1, "" };

	snapshot_begin(out, 0, store_revision(node->store));
	add(out, 4,
	    (const char *[]){ "node", node->bootstrap->name, node->bootstrap->role->name,
			      node->pin });
	snapshot_add_int(out, "revision", (int64_t)store_revision(node->store));
	add_process(out, PROCESS_CONTROL, &ourselves);
	for (enum process p = 0; p < PROCESS_COUNT; p++) {
		struct supervisor_child child = supervisor_child(supervisor, p);

		if (child.started)
			add_process(out, p, &child);
	}
	for (size_t i = 0; i < listeners->count; i++)
		add(out, 3,
		    (const char *[]){ "listener", listeners->list[i].service,
				      listeners->list[i].address });
}

#include "process/diag_ports.h"

#include "base/alloc.h"

#include <stdlib.h>

#define PORT_S2S 5269
#define PORT_S2S_TLS 5270
#define PORT_DNS 53

static void add(struct capture_job *job, long port)
{
	if (port <= 0 || port > UINT16_MAX || job->ports_count == CAPTURE_PORTS_MAX)
		return;
	for (size_t i = 0; i < job->ports_count; i++) {
		if (job->ports[i] == port)
			return;
	}
	job->ports[job->ports_count++] = (uint16_t)port;
}

/* "7400", "192.0.2.1:7400", "[2001:db8::1]:7400". */
static void add_text(struct capture_job *job, struct slice text)
{
	char *copy = xstrndup(text.data ? text.data : "", text.len);
	const char *colon = strrchr(copy, ':');

	add(job, strtol(colon ? colon + 1 : copy, NULL, 10));
	free(copy);
}

/* A field of each row. */
static void add_rows(struct capture_job *job, const struct node *node, const char *name,
		     size_t field)
{
	const struct setting *setting = setting_find(name);
	const struct setting_value *value = store_value(node->store, setting);

	for (size_t i = 0; i < value->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX];

		if (setting_split(setting, value->entries[i], fields) > field)
			add_text(job, fields[field]);
	}
}

void diag_ports(const struct node *node, const struct listeners *listeners, bool plain,
		struct capture_job *job)
{
	static const struct {
		const char *setting;
		size_t field;
	} dialled[] = {
		{ "nodes", 2 },
		{ "nodes", 4 },
		{ "home_servers", 2 },
		{ "federation.static_routes", 2 },
	};

	job->ports_count = 0;
	add(job, PORT_DNS);
	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener_open *one = &listeners->list[i];

		if (strcmp(one->service, "s2s") == 0) { /* we dial those of others */
			add(job, PORT_S2S);
			add(job, PORT_S2S_TLS);
		}
		/* people's sessions are nobody's business */
		if (strcmp(one->service, LISTENERS_CONTROL) != 0 &&
		    strcmp(one->service, "admin") != 0)
			add_text(job, slice_of(one->address));
	}
	for (size_t i = 0; i < nitems(dialled); i++)
		add_rows(job, node, dialled[i].setting, dialled[i].field);
	if (plain)
		add_rows(job, node, "attachments", 3);
}

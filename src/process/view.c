#include "process/view.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "store/secret.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES 512
#define AUTHORITIES_BYTES (4 << 20) /* Debian's bundle has a quarter of a megabyte */

const struct view_system view_system = {
	.resolv_conf = "/etc/resolv.conf",
	.authorities = "/etc/ssl/certs/ca-certificates.crt",
};

unsigned view_bit(enum process process)
{
	static const unsigned bits[PROCESS_COUNT] = {
		[PROCESS_TRAFFIC] = SEEN_BY_TRAFFIC,
		[PROCESS_MANAGE] = SEEN_BY_MANAGE,
		[PROCESS_RESOLVER] = SEEN_BY_RESOLVER,
	};

	return bits[process];
}

static void add_entry(struct buffer *out, const struct setting *setting, const char *entry)
{
	struct snapshot_record record = { .fields = { slice_of(setting->name) } };
	struct slice fields[SETTING_FIELDS_MAX];
	size_t count = setting_split(setting, entry, fields);

	memcpy(&record.fields[1], fields, count * sizeof(*fields));
	record.count = count + 1;
	snapshot_add(out, &record);
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* resolv.conf(5): `nameserver ADDRESS`; the server on this host if the file names none. */
static void add_system_servers(struct buffer *out, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[LINE_BYTES], address[INET6_ADDRSTRLEN];
	bool found = false;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "nameserver %45s", address) != 1 || !is_address(address))
			continue;
		snapshot_add_text(out, "dns.servers", address);
		found = true;
	}
	if (file)
		fclose(file);
	if (!found)
		snapshot_add_text(out, "dns.servers", "127.0.0.1");
}

/* Those that this machine trusts. Without the file nobody's certificate is valid, as the log says
 * of each. */
static void add_system_authorities(struct buffer *out, const char *name, const char *path)
{
	FILE *file = fopen(path, "re");
	char *bytes;
	size_t len;

	if (!file)
		return;
	bytes = xmalloc(AUTHORITIES_BYTES);
	len = fread(bytes, 1, AUTHORITIES_BYTES, file);
	fclose(file);
	snapshot_add(out, &(struct snapshot_record){ 2, { slice_of(name), { bytes, len } } });
	free(bytes);
}

static bool is_unset(const struct node *node, const struct plan *plan, const char *name,
		     unsigned bit)
{
	const struct setting *setting = setting_find(name);

	return setting->seen_by & bit && setting->roles & node->bootstrap->role->bit &&
	       plan_value(plan, node->store, setting)->count == 0;
}

/* It tells other nodes what our secret is by the fingerprint, and never sees the secret. */
static void add_for_manage(struct buffer *out, const struct node *node)
{
	const struct setting *secret = setting_find("federation.dialback_secret");
	char fingerprint[SECRET_FINGERPRINT_DIGITS + 1];

	snapshot_add_text(out, "node.ssh-pin", node->ssh_pin);
	if (!(secret->roles & node->bootstrap->role->bit))
		return;
	secret_fingerprint(store_text(node->store, secret->name), fingerprint);
	snapshot_add_text(out, "secret.fingerprint", fingerprint);
}

void view_write(const struct node *node, enum process process, uint64_t generation,
		const struct view_system *system, const struct plan *plan, struct buffer *out)
{
	const struct plan none = { 0 };
	unsigned bit = view_bit(process);

	plan = plan ? plan : &none;
	snapshot_begin(out, generation, store_revision(node->store));
	snapshot_add_text(out, "node.name", node->bootstrap->name);
	snapshot_add_text(out, "node.role", node->bootstrap->role->name);
	snapshot_add_text(out, "node.pin", node->pin);
	if (process == PROCESS_MANAGE)
		add_for_manage(out, node);
	if (node->bootstrap->user)
		snapshot_add_text(out, "node.user", node->bootstrap->user);
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting_value *value = plan_value(plan, node->store, &settings[i]);

		if (!(settings[i].seen_by & bit) ||
		    !(settings[i].roles & node->bootstrap->role->bit))
			continue;
		for (size_t e = 0; e < value->count; e++)
			add_entry(out, &settings[i], value->entries[e]);
	}
	if (is_unset(node, plan, "dns.servers", bit))
		add_system_servers(out, system->resolv_conf);
	if (is_unset(node, plan, "tls.trust", bit))
		add_system_authorities(out, "tls.trust", system->authorities);
	if (is_unset(node, plan, "axl.trust", bit))
		add_system_authorities(out, "axl.trust", system->authorities);
}

#include "process/report.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "store/certificate.h"
#include "store/pem.h"
#include "store/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* What of the settings the status and the alarms go by */

/* A record for each row: `first` of its fields is left out, `count` follow. */
static void add_rows(struct buffer *out, const struct store *store, const char *record,
		     const char *name, size_t first, size_t count)
{
	const struct setting *setting = setting_find(name);
	const struct setting_value *value = store_value(store, setting);

	for (size_t i = 0; i < value->count; i++) {
		struct snapshot_record row = { .count = count + 1, .fields = { slice_of(record) } };
		struct slice fields[SETTING_FIELDS_MAX];
		size_t given = setting_split(setting, value->entries[i], fields);

		for (size_t f = 0; f < count; f++)
			row.fields[f + 1] =
				first + f < given ? fields[first + f] : (struct slice){ "", 0 };
		snapshot_add(out, &row);
	}
}

static void add_accounts(struct buffer *out, const struct store *store)
{
	const struct setting *setting = setting_find("admin.accounts");
	const struct setting_value *value = store_value(store, setting);

	for (size_t i = 0; i < value->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX];
		bool set;

		setting_split(setting, value->entries[i], fields);
		set = fields[2].len && fields[2].data[0] == '$'; /* a hash */
		snapshot_add(out,
			     &(struct snapshot_record){ 4,
							{ slice_of("account"), fields[0], fields[1],
							  slice_of(set ? "set" : "unset") } });
	}
}

static void add_verbose(struct buffer *out, const struct store *store)
{
	const struct setting *setting = setting_find("log.levels");
	const struct setting_value *value = store_value(store, setting);

	for (size_t i = 0; i < value->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX] = { 0 };
		size_t count = setting_split(setting, value->entries[i], fields);

		if (slice_is(fields[1], "debug"))
			snapshot_add(out, &(struct snapshot_record){
						  4,
						  { slice_of("level"), fields[0], fields[1],
						    count > 2 ? fields[2] : slice_of("0") } });
	}
}

/* Federated domains that it is not for, with commas between; the caller's. */
static char *uncovered_by(X509 *certificate, const struct store *store)
{
	const struct setting *setting = setting_find("domains");
	const struct setting_value *rows = store_value(store, setting);
	struct buffer out = { 0 };

	for (size_t i = 0; i < rows->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX];
		char *domain;

		setting_split(setting, rows->entries[i], fields);
		domain = xstrndup(fields[0].data, fields[0].len);
		if (slice_is(fields[1], "on") && !certificate_covers(certificate, domain))
			buffer_printf(&out, "%s%s", buffer_len(&out) ? "," : "", domain);
		free(domain);
	}
	return buffer_take_text(&out);
}

static void add_certificate(struct buffer *out, const struct store *store, const char *name)
{
	const char *text = store_text(store, name);
	X509 *certificate = text ? pem_first_certificate(text) : NULL;
	char subject[256] = "", not_after[24], digits[CERTIFICATE_FINGERPRINT_DIGITS + 1];
	char *names, *issuer, *uncovered;
	int64_t end;

	if (!certificate)
		return;
	X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, subject,
				  sizeof(subject));
	names = certificate_names(certificate);
	issuer = certificate_issuer(certificate);
	uncovered = strcmp(name, "tls.certificate") == 0 ? uncovered_by(certificate, store)
							 : xstrdup("");
	certificate_fingerprint(certificate, digits);
	if (certificate_end(certificate, &end)) {
		snprintf(not_after, sizeof(not_after), "%" PRId64, end);
		add(out, 8,
		    (const char *[]){ "certificate", name, *subject ? subject : "no name",
				      not_after, names, issuer, digits, uncovered });
	}
	free(names);
	free(issuer);
	free(uncovered);
	X509_free(certificate);
}

static void add_secret(struct buffer *out, const struct store *store)
{
	const char *secret = store_text(store, "federation.dialback_secret");
	char fingerprint[SECRET_FINGERPRINT_DIGITS + 1];

	if (!secret)
		return;
	secret_fingerprint(secret, fingerprint);
	snapshot_add_text(out, "secret", fingerprint);
}

static void add_settings(struct buffer *out, const struct store *store, unsigned role)
{
	static const char *const told[] = { "federation.enabled", "federation.security_mode",
					    "federation.privacy_mode",
					    "federation.use_static_routes", "router.apply" };

	for (size_t i = 0; i < nitems(told); i++) {
		const char *value = store_text(store, told[i]);

		if (setting_find(told[i])->roles & role && value)
			add(out, 3, (const char *[]){ "setting", told[i], value });
	}
}

void report_settings(struct buffer *out, const struct store *store, unsigned role)
{
	static const char *const certificates[] = { "tls.certificate", "axl.certificate",
						    "admin.certificate" };

	add_settings(out, store, role);
	add_rows(out, store, "domain", "domains", 0, 3);
	add_rows(out, store, "edge", "edges", 0, 4);
	add_rows(out, store, "stored", "xmpps2snodes", 1, 1);
	add_verbose(out, store);
	add_accounts(out, store);
	add_rows(out, store, "stanza-log", "log.stanzas", 0, 2);
	for (size_t i = 0; i < nitems(certificates); i++) {
		if (setting_find(certificates[i])->roles & role)
			add_certificate(out, store, certificates[i]);
	}
	if (setting_find("federation.dialback_secret")->roles & role)
		add_secret(out, store);
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
	report_settings(out, node->store, node->bootstrap->role->bit);
}

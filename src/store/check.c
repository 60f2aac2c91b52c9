#include "store/check.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/map.h"
#include "policy/domain.h"
#include "policy/realm.h"
#include "store/pem.h"

#include <arpa/inet.h>
#include <stdlib.h>

static bool is_address(struct slice text)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return inet_pton(AF_INET, copy, bytes) == 1 || inet_pton(AF_INET6, copy, bytes) == 1;
}

/* Appends the domain as it is compared; a host may be an address instead. */
static bool prepare_domain(const struct setting *setting, const struct setting_field *field,
			   struct slice text, struct buffer *out, char **why)
{
	char domain[DOMAIN_BYTES + 1];

	if (field->kind == FIELD_HOST && is_address(text)) {
		buffer_append_slice(out, text);
		return true;
	}
	if (!domain_prepare(text, domain)) {
		*why = setting_refusal(setting, field, text);
		return false;
	}
	buffer_append_text(out, domain);
	return true;
}

static bool rewrite_pem(const struct setting *setting, const char *text, struct buffer *out,
			char **why)
{
	const struct setting_field *field = &setting->fields[0];
	char *written = field->kind == FIELD_PEM ? pem_certificates(text) : pem_private_key(text);

	if (!written) {
		*why = setting_refusal(setting, field, slice_of(text));
		return false;
	}
	buffer_append_text(out, written);
	pem_wipe(&written);
	return true;
}

static bool check_field(const struct setting *setting, const struct setting_field *field,
			struct slice text, struct buffer *out, char **why)
{
	switch (field->kind) {
	case FIELD_DOMAIN:
	case FIELD_HOST:
		return prepare_domain(setting, field, text, out, why);
	case FIELD_PEM:
	case FIELD_PRIVATE_KEY:
		return rewrite_pem(setting, text.data, out, why); /* a whole entry: terminated */
	default:
		buffer_append_slice(out, text);
		return true;
	}
}

static bool check_entry(const struct setting *setting, char **entry, char **why)
{
	struct slice fields[SETTING_FIELDS_MAX];
	size_t count = setting_split(setting, *entry, fields);
	struct buffer out = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (i)
			buffer_append_text(&out, " ");
		if (!check_field(setting, &setting->fields[i], fields[i], &out, why)) {
			buffer_finish(&out);
			return false;
		}
	}
	if (buffer_len(&out) > SETTING_ENTRY_BYTES) { /* line ends were added to PEM */
		*why = xasprintf("%s: longer than %d bytes", setting->name, SETTING_ENTRY_BYTES);
		buffer_finish(&out);
		return false;
	}
	free(*entry);
	*entry = buffer_take_text(&out);
	return true;
}

/* Two equal elements, or two records with the same key, would leave open which one counts. */
static bool has_twice(const struct setting *setting, const struct setting_value *value, char **why)
{
	struct map seen = { 0 };
	struct slice fields[SETTING_FIELDS_MAX];
	bool twice = false;

	for (size_t i = 0; i < value->count && !twice; i++) {
		struct slice key = slice_of(value->entries[i]);

		if (setting->keyed) {
			setting_split(setting, value->entries[i], fields);
			key = fields[0];
		}
		twice = map_put(&seen, key, &seen) != NULL; /* any value will do */
		if (twice)
			*why = xasprintf("%s: '%.*s' is there twice", setting->name,
					 SLICE_ARGS(key));
	}
	map_finish(&seen);
	return twice;
}

bool check_value(const struct setting *setting, struct setting_value *value, char **why)
{
	for (size_t i = 0; i < value->count; i++) {
		if (!check_entry(setting, &value->entries[i], why))
			return false;
	}
	return !has_twice(setting, value, why);
}

static const char *text_after(const struct store *store, const struct store_change *changes,
			      size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(changes[i].setting->name, name) == 0)
			return changes[i].reset || !changes[i].value.count
				       ? NULL
				       : changes[i].value.entries[0];
	}
	return store_text(store, name);
}

static bool keys_fit(const struct store *store, const struct store_change *changes, size_t count,
		     const char *certificate_name, const char *key_name, char **why)
{
	const char *certificate = text_after(store, changes, count, certificate_name);
	const char *key = text_after(store, changes, count, key_name);

	if (!certificate || !key || pem_key_fits(certificate, key))
		return true;
	*why = xasprintf("%s: not the key of %s; set both at once by a %s that holds the key too",
			 key_name, certificate_name, certificate_name);
	return false;
}

/* A home server's table tells edges apart by their realms alone. */
static bool realms_differ(const struct store *store, const struct store_change *changes,
			  size_t count, char **why)
{
	const struct setting *nodes = setting_find("nodes");
	const struct setting_value *value = store_value(store, nodes);
	struct slice fields[SETTING_FIELDS_MAX];
	struct map seen = { 0 };
	bool differ = true;

	for (size_t i = 0; i < count; i++) {
		if (changes[i].setting == nodes)
			value = &changes[i].value;
	}
	for (size_t i = 0; i < value->count && differ; i++) {
		char realm[REALM_BYTES + 1], *name, *other;

		setting_split(nodes, value->entries[i], fields);
		if (!slice_is(fields[1], "edge"))
			continue;
		name = xstrndup(fields[0].data, fields[0].len);
		realm_of(name, realm);
		other = map_put(&seen, slice_of(realm), value->entries[i]);
		differ = !other;
		if (!differ)
			*why = xasprintf("nodes: %s has the realm %s, as %.*s has; home servers "
					 "could not tell them apart, so one needs another name",
					 name, realm, (int)strcspn(other, " "), other);
		free(name);
	}
	map_finish(&seen);
	return differ;
}

bool check_together(const struct store *store, const struct store_change *changes, size_t count,
		    char **why)
{
	return keys_fit(store, changes, count, "tls.certificate", "tls.private_key", why) &&
	       keys_fit(store, changes, count, "axl.certificate", "axl.private_key", why) &&
	       keys_fit(store, changes, count, "admin.certificate", "admin.private_key", why) &&
	       realms_differ(store, changes, count, why);
}

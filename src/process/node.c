#include "process/node.h"

#include "base/alloc.h"
#include "store/pem.h"
#include "store/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define AUTHOR "sallyportd" /* of what the node makes for itself */

static char *store_path(const struct bootstrap *bootstrap)
{
	return xasprintf("%s/sallyport.db", bootstrap->data);
}

static char *key_path(const struct bootstrap *bootstrap)
{
	return bootstrap->key ? xstrdup(bootstrap->key)
			      : xasprintf("%s/secrets.key", bootstrap->data);
}

static bool lock_data(struct node *node, char **why)
{
	const char *data = node->bootstrap->data;
	char *path;

	if (mkdir(data, 0700) < 0 && errno != EEXIST) {
		*why = xasprintf("%s: %s", data, strerror(errno));
		return false;
	}
	path = xasprintf("%s/lock", data);
	node->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (node->lock < 0)
		*why = xasprintf("%s: %s", path, strerror(errno));
	else if (flock(node->lock, LOCK_EX | LOCK_NB) < 0)
		*why = xasprintf("%s: another sallyportd runs on this data", path);
	free(path);
	return !*why;
}

static bool is_missing(const struct node *node, const struct setting *setting)
{
	return setting->roles & node->bootstrap->role->bit &&
	       store_value(node->store, setting)->count == 0;
}

static void add_value(struct store_change *change, const struct setting *setting, char *text)
{
	*change = (struct store_change){ .setting = setting };
	change->value.entries = xcalloc(1, sizeof(char *));
	change->value.entries[change->value.count++] = text;
}

static bool make_secrets(struct node *node, char **why)
{
	bool made = true;

	for (size_t i = 0; i < settings_count && made; i++) {
		char secret[SECRET_DIGITS + 1];
		struct store_change change;

		if (!settings[i].random || !is_missing(node, &settings[i]))
			continue;
		if (!secret_make(secret)) {
			*why = xstrdup("the system has no randomness");
			return false;
		}
		add_value(&change, &settings[i], xstrdup(secret));
		made = store_change(node->store, AUTHOR, &change, 1, why);
		setting_value_finish(&change.value);
	}
	return made;
}

/* Adds what is missing to the changes; false: it cannot be made. */
static bool add_certificate(const struct node *node, const char *certificate_name,
			    const char *key_name, struct store_change *changes, size_t *count)
{
	const struct setting *certificate = setting_find(certificate_name);
	const struct setting *key = setting_find(key_name);
	char *certificate_text, *key_text;

	if (!is_missing(node, certificate) && !is_missing(node, key))
		return true;
	if (!identity_make(node->bootstrap->name, &certificate_text, &key_text))
		return false;
	add_value(&changes[(*count)++], certificate, certificate_text);
	add_value(&changes[(*count)++], key, key_text);
	return true;
}

static bool add_ssh_key(const struct node *node, struct store_change *changes, size_t *count)
{
	const struct setting *key = setting_find("ssh.private_key");
	char *text;

	if (!is_missing(node, key))
		return true;
	if (!identity_make_ssh(&text))
		return false;
	add_value(&changes[(*count)++], key, text);
	return true;
}

static bool make_identity(struct node *node, char **why)
{
	struct store_change changes[7];
	size_t count = 0;
	bool made = true;

	if (!add_certificate(node, "link.certificate", "link.private_key", changes, &count) ||
	    !add_certificate(node, "axl.certificate", "axl.private_key", changes, &count) ||
	    !add_certificate(node, "admin.certificate", "admin.private_key", changes, &count) ||
	    !add_ssh_key(node, changes, &count)) {
		*why = xstrdup("the keys for links, AXL, SSH and the web page cannot be made");
		made = false;
	} else if (count > 0) {
		made = store_change(node->store, AUTHOR, changes, count, why);
	}
	for (size_t i = 0; i < count; i++)
		setting_value_finish(&changes[i].value);
	return made;
}

static bool open_store(struct node *node, char **why)
{
	char *path = store_path(node->bootstrap), *key = key_path(node->bootstrap);

	node->store = store_open(path, key, why);
	free(path);
	free(key);
	return node->store != NULL;
}

static bool know_pins(struct node *node, char **why)
{
	if (!identity_pin(store_text(node->store, "link.certificate"), node->pin))
		*why = xstrdup("link.certificate cannot be read");
	else if (!identity_ssh_pin(store_text(node->store, "ssh.private_key"), node->ssh_pin))
		*why = xstrdup("ssh.private_key cannot be read");
	return !*why;
}

bool node_open(struct node *node, const struct bootstrap *bootstrap, char **why)
{
	*node = (struct node){ .bootstrap = bootstrap, .lock = -1 };
	*why = NULL;
	if (lock_data(node, why) && open_store(node, why) && make_secrets(node, why) &&
	    make_identity(node, why) && know_pins(node, why))
		return true;
	node_close(node);
	return false;
}

void node_close(struct node *node)
{
	store_close(&node->store);
	if (node->lock >= 0)
		close(node->lock);
	node->lock = -1;
}

bool node_verify(const struct bootstrap *bootstrap, char **why)
{
	char *path = store_path(bootstrap), *key = key_path(bootstrap);
	bool sound = store_verify(path, key, why);

	free(path);
	free(key);
	return sound;
}

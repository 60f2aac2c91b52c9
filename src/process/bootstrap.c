#include "process/bootstrap.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <confuse.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define NAME_BYTES 63
#define SOCKET_BYTES (sizeof((struct sockaddr_un){ 0 }.sun_path) - 1)

static const struct role *const roles[] = { &role_edge, &role_core, &role_home };

/* libconfuse hands the complaint to a function without an argument of ours. */
static char *complaint;

__attribute__((format(printf, 2, 0))) static void keep_complaint(cfg_t *file, const char *format,
								 va_list args)
{
	char text[512];

	if (complaint)
		return; /* the first is the cause */
	vsnprintf(text, sizeof(text), format, args);
	complaint = xasprintf("%s:%d: %s", file->filename, file->line, text);
}

static const struct role *find_role(const char *name)
{
	for (size_t i = 0; i < nitems(roles); i++) {
		if (strcmp(roles[i]->name, name) == 0)
			return roles[i];
	}
	return NULL;
}

static int complain(cfg_t *file, cfg_opt_t *option, const char *text, const char *what)
{
	cfg_error(file, "%s: '%s' is not %s", cfg_opt_name(option), text, what);
	return -1;
}

static const char *last_text(cfg_opt_t *option)
{
	const char *text = cfg_opt_getnstr(option, cfg_opt_size(option) - 1);

	return text ? text : "";
}

static int check_role(cfg_t *file, cfg_opt_t *option)
{
	const char *text = last_text(option);

	return find_role(text) ? 0 : complain(file, option, text, "edge, core or home");
}

static int check_name(cfg_t *file, cfg_opt_t *option)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-.";
	const char *text = last_text(option);
	size_t len = strlen(text);

	if (len > 0 && len <= NAME_BYTES && strspn(text, letters) == len && text[0] != '-' &&
	    text[0] != '.')
		return 0;
	return complain(file, option, text,
			"a name of letters, digits, hyphens and dots, at most 63");
}

static int check_path(cfg_t *file, cfg_opt_t *option)
{
	const char *text = last_text(option);

	return text[0] == '/' ? 0 : complain(file, option, text, "an absolute path");
}

static int check_socket(cfg_t *file, cfg_opt_t *option)
{
	const char *text = last_text(option);

	if (text[0] == '/' && strlen(text) <= SOCKET_BYTES)
		return 0;
	return complain(file, option, text, "an absolute path of at most 107 bytes");
}

static int check_user(cfg_t *file, cfg_opt_t *option)
{
	const char *text = last_text(option);

	return getpwnam(text) ? 0 : complain(file, option, text, "a user of this system");
}

static int check_address(cfg_t *file, cfg_opt_t *option)
{
	const char *text = last_text(option);
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1)
		return 0;
	return complain(file, option, text, "an IP address");
}

static int check_port(cfg_t *file, cfg_opt_t *option)
{
	long port = cfg_opt_getnint(option, 0);

	if (port >= 1 && port <= 65535)
		return 0;
	cfg_error(file, "port: %ld is not a number between 1 and 65535", port);
	return -1;
}

/* At the end of `listen NAME { }`. */
static int check_listen(cfg_t *file, cfg_opt_t *option)
{
	cfg_t *section = cfg_opt_getnsec(option, cfg_opt_size(option) - 1);

	if (cfg_size(section, "address") && cfg_size(section, "port"))
		return 0;
	cfg_error(file, "listen %s: needs address and port", cfg_title(section));
	return -1;
}

static char *copy_of(cfg_t *file, const char *name)
{
	return xstrdup(cfg_getstr(file, name));
}

static bool take_listen(const struct role *role, cfg_t *section, struct bootstrap *bootstrap)
{
	const char *service = cfg_title(section);
	size_t at = 0;

	while (at < role->services_count && strcmp(role->services[at].name, service) != 0)
		at++;
	if (at == role->services_count) {
		cfg_error(section, "listen %s: no service of role %s", service, role->name);
		return false;
	}
	for (unsigned i = 0; i < cfg_size(section, "address"); i++) {
		if (bootstrap->listens_count == BOOTSTRAP_LISTENS_MAX) {
			cfg_error(section, "listen %s: more than %d addresses in all", service,
				  BOOTSTRAP_LISTENS_MAX);
			return false;
		}
		bootstrap->listens[bootstrap->listens_count++] = (struct bootstrap_listen){
			.service = xstrdup(service),
			.process = role->services[at].process,
			.address = xstrdup(cfg_getnstr(section, "address", i)),
			.port = (uint16_t)cfg_getint(section, "port"),
		};
	}
	return true;
}

bool bootstrap_address_is_local(const char *address)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1)
		return bytes[0] == 127;
	return strcmp(address, "::1") == 0;
}

static bool is_any(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* Whether a connection to the one address may be one to the other. */
static bool meets(const char *a, const char *b)
{
	bool same_family = (strchr(a, ':') != NULL) == (strchr(b, ':') != NULL);

	return strcmp(a, b) == 0 || (same_family && (is_any(a) || is_any(b)));
}

/* The world that reaches 5269 must not find the web page beside it. */
static bool admin_is_apart(cfg_t *file, const struct bootstrap *bootstrap)
{
	for (size_t i = 0; i < bootstrap->listens_count; i++) {
		const struct bootstrap_listen *admin = &bootstrap->listens[i];

		if (strcmp(admin->service, "admin") != 0 ||
		    bootstrap_address_is_local(admin->address))
			continue;
		for (size_t k = 0; k < bootstrap->listens_count; k++) {
			const struct bootstrap_listen *s2s = &bootstrap->listens[k];

			if (strcmp(s2s->service, "s2s") != 0 ||
			    bootstrap_address_is_local(s2s->address) ||
			    !meets(admin->address, s2s->address))
				continue;
			cfg_error(file,
				  "listen admin: %s is where the world reaches s2s; the web page "
				  "needs an address of its own, or 127.0.0.1",
				  admin->address);
			return false;
		}
	}
	return true;
}

static bool take_socket(cfg_t *file, struct bootstrap *bootstrap)
{
	bootstrap->control_socket = copy_of(file, "control_socket");
	if (bootstrap->control_socket)
		return true;
	bootstrap->control_socket = xasprintf("%s/control.sock", bootstrap->data);
	if (strlen(bootstrap->control_socket) <= SOCKET_BYTES)
		return true;
	cfg_error(file, "data: too long for the control socket in it; set control_socket");
	return false;
}

/* What was parsed, as ours; what is missing or doesn't go together is refused. */
static bool take(cfg_t *file, struct bootstrap *bootstrap)
{
	static const char *const required[] = { "role", "name", "data" };

	for (size_t i = 0; i < nitems(required); i++) {
		if (!cfg_getstr(file, required[i])) {
			cfg_error(file, "%s is missing", required[i]);
			return false;
		}
	}
	bootstrap->role = find_role(cfg_getstr(file, "role"));
	bootstrap->name = copy_of(file, "name");
	bootstrap->data = copy_of(file, "data");
	bootstrap->key = copy_of(file, "key");
	bootstrap->user = copy_of(file, "user");
	bootstrap->programs = copy_of(file, "programs");
	if (!take_socket(file, bootstrap))
		return false;
	for (unsigned i = 0; i < cfg_size(file, "listen"); i++) {
		if (!take_listen(bootstrap->role, cfg_getnsec(file, "listen", i), bootstrap))
			return false;
	}
	return admin_is_apart(file, bootstrap);
}

bool bootstrap_read(const char *path, struct bootstrap *bootstrap, char **why)
{
	cfg_opt_t listen[] = { CFG_STR_LIST("address", NULL, CFGF_NODEFAULT),
			       CFG_INT("port", 0, CFGF_NODEFAULT), CFG_END() };
	cfg_opt_t options[] = { CFG_STR("role", NULL, CFGF_NODEFAULT),
				CFG_STR("name", NULL, CFGF_NODEFAULT),
				CFG_STR("data", NULL, CFGF_NODEFAULT),
				CFG_STR("key", NULL, CFGF_NODEFAULT),
				CFG_STR("user", NULL, CFGF_NODEFAULT),
				CFG_STR("control_socket", NULL, CFGF_NODEFAULT),
				CFG_STR("programs", NULL, CFGF_NODEFAULT),
				CFG_SEC("listen", listen,
					CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
				CFG_END() };
	static const struct {
		const char *option;
		cfg_validate_callback_t check;
	} checks[] = {
		{ "role", check_role },
		{ "name", check_name },
		{ "data", check_path },
		{ "key", check_path },
		{ "user", check_user },
		{ "programs", check_path },
		{ "control_socket", check_socket },
		{ "listen|address", check_address },
		{ "listen|port", check_port },
		{ "listen", check_listen },
	};
	struct bootstrap read = { 0 };
	cfg_t *file = cfg_init(options, CFGF_NONE);
	int result;
	bool taken;

	cfg_set_error_function(file, keep_complaint);
	for (size_t i = 0; i < nitems(checks); i++)
		cfg_set_validate_func(file, checks[i].option, checks[i].check);
	result = cfg_parse(file, path);
	taken = result == CFG_SUCCESS && take(file, &read);
	if (taken)
		*bootstrap = read;
	else if (complaint)
		*why = complaint;
	else
		*why = xasprintf("%s: %s", path, strerror(errno));
	complaint = NULL;
	if (!taken)
		bootstrap_finish(&read);
	cfg_free(file);
	return taken;
}

void bootstrap_finish(struct bootstrap *bootstrap)
{
	for (size_t i = 0; i < bootstrap->listens_count; i++) {
		free(bootstrap->listens[i].service);
		free(bootstrap->listens[i].address);
	}
	free(bootstrap->name);
	free(bootstrap->data);
	free(bootstrap->key);
	free(bootstrap->user);
	free(bootstrap->control_socket);
	free(bootstrap->programs);
	*bootstrap = (struct bootstrap){ 0 };
}

#include "process/listeners.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#define BUSY_MS 2000 /* that an address in use may become free */
#define BUSY_PAUSE_MS 20
#define SOCKET_MODE 0660 /* who may open it may see the node; manage decides who may change it */

union any_address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
	struct sockaddr_un local;
};

static bool add(struct listeners *listeners, const char *service, enum process process, int fd,
		char *address)
{
	if (listeners->count == LISTENERS_MAX) {
		close(fd);
		free(address);
		return false;
	}
	listeners->list[listeners->count++] =
		(struct listener_open){ xstrdup(service), address, process, fd };
	log_event(EVENT_LISTENER_OPEN, "service=%s address=%s", service, log_text(address));
	return true;
}

static char *address_of(int fd)
{
	union any_address address;
	socklen_t len = sizeof(address);
	char text[INET6_ADDRSTRLEN] = "-";

	if (getsockname(fd, &address.any, &len) < 0)
		return xstrdup("-");
	switch (address.any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &address.ipv4.sin_addr, text, sizeof(text));
		return xasprintf("%s:%u", text, ntohs(address.ipv4.sin_port));
	case AF_INET6:
		inet_ntop(AF_INET6, &address.ipv6.sin6_addr, text, sizeof(text));
		return xasprintf("[%s]:%u", text, ntohs(address.ipv6.sin6_port));
	case AF_UNIX:
		return xstrndup(address.local.sun_path,
				strnlen(address.local.sun_path, sizeof(address.local.sun_path)));
	default:
		return xstrdup("-");
	}
}

static bool find_process(const struct role *role, const char *service, enum process *process)
{
	*process = PROCESS_MANAGE;
	if (strcmp(service, LISTENERS_CONTROL) == 0)
		return true;
	for (size_t i = 0; i < role->services_count; i++) {
		*process = role->services[i].process;
		if (strcmp(role->services[i].name, service) == 0)
			return true;
	}
	return false;
}

/* sd_listen_fds(3): descriptors from 3 on, each with the name of its socket unit. */
static bool inherit(struct listeners *listeners, const struct role *role, char **why)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);
	bool taken = true;

	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		enum process process;

		if (taken && !find_process(role, names[i], &process)) {
			*why = xasprintf("socket '%s' was passed to us, which is no service of "
					 "role %s",
					 names[i], role->name);
			taken = false;
		}
		if (taken) {
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
			taken = add(listeners, names[i], process, fd, address_of(fd));
			if (!taken)
				*why = xstrdup("more sockets were passed to us than we take");
		} else {
			close(fd);
		}
		free(names[i]);
	}
	free(names);
	return taken;
}

static bool has(const struct listeners *listeners, size_t count, const char *service)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(listeners->list[i].service, service) == 0)
			return true;
	}
	return false;
}

static socklen_t read_address(const char *text, uint16_t port, union any_address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->ipv4.sin_addr) == 1) {
		address->ipv4.sin_family = AF_INET;
		address->ipv4.sin_port = htons(port);
		return sizeof(address->ipv4);
	}
	inet_pton(AF_INET6, text, &address->ipv6.sin6_addr); /* bootstrap.c checked it */
	address->ipv6.sin6_family = AF_INET6;
	address->ipv6.sin6_port = htons(port);
	return sizeof(address->ipv6);
}

/* The children of a predecessor that was killed hold its sockets until the kernel has ended them.
 */
static bool bind_patiently(int fd, const union any_address *address, socklen_t len)
{
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE_MS * 1000000L };

	for (unsigned waited_ms = 0; bind(fd, &address->any, len) < 0; waited_ms += BUSY_PAUSE_MS) {
		if (errno != EADDRINUSE || waited_ms >= BUSY_MS)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* -1: errno says why. */
static int listen_at(const union any_address *address, socklen_t len)
{
	int family = address->any.sa_family, on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), failed;

	if (fd < 0)
		return -1;
	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6) /* so that both families can be bound apart */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind_patiently(fd, address, len) && listen(fd, SOMAXCONN) == 0)
		return fd;
	failed = errno;
	close(fd);
	errno = failed;
	return -1;
}

static bool open_network(struct listeners *listeners, const struct bootstrap_listen *listen,
			 char **why)
{
	union any_address address;
	socklen_t len = read_address(listen->address, listen->port, &address);
	int fd = listen_at(&address, len);

	if (fd < 0) {
		*why = xasprintf("listen %s: %s port %u: %s", listen->service, listen->address,
				 listen->port, strerror(errno));
		return false;
	}
	if (add(listeners, listen->service, listen->process, fd, address_of(fd)))
		return true;
	*why = xasprintf("listen %s: too many sockets", listen->service);
	return false;
}

/* The group of the children's user may open it, so that operators are put in that group. */
static bool settle_rights(const char *path, const char *user)
{
	const struct passwd *entry = getpwnam(user ? user : "sallyport");

	if (geteuid() == 0 && entry && chown(path, (uid_t)-1, entry->pw_gid) < 0)
		return false;
	return chmod(path, SOCKET_MODE) == 0;
}

static void make_folder_of(const char *path)
{
	char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	if (*folder && mkdir(folder, 0755) == 0)
		chmod(folder, 0755); /* whatever the umask; if that fails, bind will say so */
	free(folder);
}

/* Ours alone by the lock on the data (node.c), so a socket that is there is a dead one's. */
static bool open_local(struct listeners *listeners, const struct bootstrap *bootstrap, char **why)
{
	const char *path = bootstrap->control_socket;
	union any_address address = { .local = { .sun_family = AF_UNIX } };
	struct stat st;
	int fd;

	make_folder_of(path);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	memcpy(address.local.sun_path, path, strlen(path) + 1); /* bootstrap.c measured it */
	fd = listen_at(&address, sizeof(address.local));
	if (fd >= 0 && settle_rights(path, bootstrap->user) &&
	    add(listeners, LISTENERS_CONTROL, PROCESS_MANAGE, fd, xstrdup(path)))
		return true;
	*why = xasprintf("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return false;
}

/* The address without its port and brackets; the caller's. */
static char *host_of(const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : strlen(address);

	return *address == '[' && len > 2 ? xstrndup(address + 1, len - 2) : xstrndup(address, len);
}

/* A socket of systemd's that hears all addresses of IPv6 may hear those of IPv4 too. */
static bool is_any(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static bool are_apart(const char *admin, const char *s2s)
{
	char *a = host_of(admin), *b = host_of(s2s);
	bool apart = bootstrap_address_is_local(a) || bootstrap_address_is_local(b) ||
		     (strcmp(a, b) != 0 && !is_any(a) && !is_any(b));

	free(a);
	free(b);
	return apart;
}

/* What was passed to us must obey the rule that the file obeys (bootstrap.c). */
static bool admin_is_apart(const struct listeners *listeners, size_t inherited, char **why)
{
	for (size_t i = 0; i < listeners->count; i++) {
		for (size_t k = 0; k < listeners->count; k++) {
			const struct listener_open *admin = &listeners->list[i];
			const struct listener_open *s2s = &listeners->list[k];

			if ((i >= inherited && k >= inherited) ||
			    strcmp(admin->service, "admin") != 0 ||
			    strcmp(s2s->service, "s2s") != 0 ||
			    are_apart(admin->address, s2s->address))
				continue;
			*why = xasprintf("socket 'admin' at %s is where the world reaches s2s at "
					 "%s; the web page needs an address of its own",
					 admin->address, s2s->address);
			return false;
		}
	}
	return true;
}

bool listeners_open(struct listeners *listeners, const struct bootstrap *bootstrap, char **why)
{
	size_t inherited;
	bool opened;

	*listeners = (struct listeners){ 0 };
	opened = inherit(listeners, bootstrap->role, why);
	inherited = listeners->count;
	for (size_t i = 0; i < bootstrap->listens_count && opened; i++) {
		if (!has(listeners, inherited, bootstrap->listens[i].service))
			opened = open_network(listeners, &bootstrap->listens[i], why);
	}
	if (opened && !has(listeners, inherited, LISTENERS_CONTROL))
		opened = open_local(listeners, bootstrap, why);
	if (opened)
		opened = admin_is_apart(listeners, inherited, why);
	if (!opened)
		listeners_finish(listeners);
	return opened;
}

int listeners_take(struct listeners *listeners, size_t place)
{
	int fd = listeners->list[place].fd;

	listeners->list[place].fd = -1;
	return fd;
}

void listeners_finish(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->list[i].fd >= 0)
			close(listeners->list[i].fd);
		free(listeners->list[i].service);
		free(listeners->list[i].address);
	}
	*listeners = (struct listeners){ 0 };
}

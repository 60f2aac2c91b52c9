#include "provision/orders.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

#define WORDS(...) words_of((const char *const[]){ __VA_ARGS__, NULL })

static char **words_of(const char *const *words)
{
	size_t count = 0;
	char **copy;

	while (words[count])
		count++;
	copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(words[i]);
	return copy;
}

void orders_address(const char *address, const char *dialled, char out[FORM_ENDPOINT_BYTES + 1])
{
	const char *colon = strrchr(dialled, ':');

	if (strncmp(address, "-:", 2) == 0)
		snprintf(out, FORM_ENDPOINT_BYTES + 1, "%.*s%s", (int)(colon - dialled), dialled,
			 address + 1);
	else
		snprintf(out, FORM_ENDPOINT_BYTES + 1, "%s", address);
}

void orders_dialled(struct orders *orders, const struct pairing_self *other, const char *dialled)
{
	char link[FORM_ENDPOINT_BYTES + 1], ip[FORM_ENDPOINT_BYTES + 1], number[8];
	uint16_t port;

	orders_address(other->link_address, dialled, link);
	orders->list[0] = WORDS("node-pair", other->node, other->role, link, other->link_pin,
				dialled, other->ssh_pin);
	if (!other->axl_port || !form_endpoint(dialled, ip, &port))
		return;
	snprintf(number, sizeof(number), "%u", other->axl_port);
	orders->list[1] = WORDS("home-server-put", other->node, ip, number, other->axl_user,
				other->axl_password, "pin", other->axl_pin);
}

void orders_accepted(struct orders *orders, const struct pairing_self *other,
		     const char *axl_password)
{
	orders->list[0] = WORDS("node-pair", other->node, other->role, "-", other->link_pin, "-",
				other->ssh_pin);
	if (axl_password[0])
		orders->list[1] = WORDS("axl-user-put", other->node, axl_password, "axl");
}

void orders_finish(struct orders *orders)
{
	for (size_t i = 0; i < ORDERS_MAX; i++) {
		for (char **word = orders->list[i]; word && *word; word++) {
			explicit_bzero(*word, strlen(*word)); /* one may be a password */
			free(*word);
		}
		free(orders->list[i]);
		orders->list[i] = NULL;
	}
}

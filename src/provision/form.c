#include "provision/form.h"

#include "policy/address.h"

#include <string.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool form_is_name(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	return len > 0 && len <= FORM_NAME_BYTES && strspn(text, LETTERS DIGITS "-.") == len &&
	       text[0] != '-' && text[0] != '.';
}

bool form_is_pin(const char *text)
{
	return text && strlen(text) == FORM_PIN_LEN &&
	       strspn(text, DIGITS "abcdef") == FORM_PIN_LEN;
}

bool form_is_role(const char *text)
{
	return text && (strcmp(text, "edge") == 0 || strcmp(text, "core") == 0 ||
			strcmp(text, "home") == 0);
}

static bool read_port(const char *text, uint16_t *port)
{
	unsigned long number = 0;
	size_t len = strlen(text);

	if (!len || len > 5 || strspn(text, DIGITS) != len || text[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++)
		number = number * 10 + (unsigned long)(text[i] - '0');
	if (number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	return true;
}

bool form_endpoint(const char *text, char ip[FORM_ENDPOINT_BYTES + 1], uint16_t *port)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	struct slice host = { text, colon ? (size_t)(colon - text) : 0 };
	bool bracketed = host.len > 2 && text[0] == '[' && text[host.len - 1] == ']';
	struct address address;
	uint16_t number;

	if (bracketed)
		host = (struct slice){ text + 1, host.len - 2 };
	if (!host.len || host.len > FORM_ENDPOINT_BYTES || !address_read(host, &address) ||
	    address.v6 != bracketed || !read_port(colon + 1, &number))
		return false;
	memcpy(ip, host.data, host.len);
	ip[host.len] = '\0';
	*port = number;
	return true;
}

bool form_is_link_address(const char *text)
{
	char ip[FORM_ENDPOINT_BYTES + 1];
	uint16_t port;

	if (text && strncmp(text, "-:", 2) == 0)
		return read_port(text + 2, &port);
	return form_endpoint(text, ip, &port);
}

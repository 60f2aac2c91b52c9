#include "policy/address.h"

#include <stdlib.h>

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_address(const struct address *address)
{
	struct address again;
	struct network one;
	char text[ADDRESS_TEXT];

	address_text(address, text);
	must(address_read(slice_of(text), &again) && address_equals(address, &again));
	must(network_read(slice_of(text), &one) && network_has(&one, address));
	must(address_refused(address, 25, NULL, 0) != NULL);
	must(address_refused(address, 5269, &one, 1) == NULL);
}

/* The verdict on an IPv4 address is that on its mapped form. */
static void check_bytes(const uint8_t *bytes)
{
	struct address ipv4 = { 0 }, mapped = { true, { [10] = 0xff, [11] = 0xff } };

	memcpy(ipv4.bytes, bytes, 4);
	memcpy(mapped.bytes + 12, bytes, 4);
	must(address_refused(&ipv4, 5269, NULL, 0) == address_refused(&mapped, 5269, NULL, 0));
	memcpy(mapped.bytes, bytes, 16);
	check_address(&ipv4);
	check_address(&mapped);
}

/* The input is read as text and, where it is long enough, as the bytes of an address. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct address address;
	struct network network;

	if (address_read(text, &address))
		check_address(&address);
	if (network_read(text, &network))
		must(network_has(&network, &network.base));
	if (size >= 16)
		check_bytes(data);
	return 0;
}

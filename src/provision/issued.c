#include "provision/issued.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/random.h>

#define CODE_SECONDS_MIN 10
#define CODE_SECONDS_MAX 86400

void issued_void(struct issued *issued, const char *why)
{
	if (!issued->out)
		return;
	loop_disarm(issued->loop, &issued->expiry);
	explicit_bzero(issued->secret, sizeof(issued->secret));
	issued->out = false;
	log_event(EVENT_PAIRING_CODE, "state=void why=\"%s\"", why);
}

static void on_expiry(struct timer *timer)
{
	issued_void((void *)((char *)timer - offsetof(struct issued, expiry)), "its time is over");
}

static void make_secret(char secret[CODE_SECRET_CHARS + 1])
{
	unsigned char random[CODE_SECRET_BYTES];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	code_secret(random, secret);
	explicit_bzero(random, sizeof(random));
}

void issued_make(struct issued *issued, const struct tunnel_shared *shared,
		 const struct issued_wish *wish, char text[CODE_TEXT_BYTES])
{
	struct pairing_code code = { 0 };

	issued_void(issued, "another one was made");
	*issued = (struct issued){ .loop = shared->loop,
				   .out = true,
				   .axl_port = wish->axl_port,
				   .expiry.fire = on_expiry };
	make_secret(issued->secret);
	snprintf(issued->link, sizeof(issued->link), "%s", wish->link);
	loop_arm(issued->loop, &issued->expiry, wish->seconds * UINT64_C(1000));

	snprintf(code.node, sizeof(code.node), "%s", shared->name);
	snprintf(code.address, sizeof(code.address), "%s", wish->address);
	snprintf(code.pin, sizeof(code.pin), "%s", ssh_identity_pin(shared->identity));
	memcpy(code.secret, issued->secret, sizeof(code.secret));
	code_write(&code, text);
	explicit_bzero(&code, sizeof(code));
	log_event(EVENT_PAIRING_CODE, "state=out address=%s seconds=%u", wish->address,
		  wish->seconds);
}

bool issued_knows(struct issued *issued, const char *user, const char *password)
{
	if (!issued->out)
		return false;
	if (strcmp(user, ISSUED_USER) == 0 && strlen(password) == CODE_SECRET_CHARS &&
	    CRYPTO_memcmp(password, issued->secret, CODE_SECRET_CHARS) == 0)
		return true;
	if (++issued->failures >= ISSUED_FAILURES_MAX)
		issued_void(issued, "five passwords were wrong");
	return false;
}

/* The words of `pair` */

static bool read_number(const char *text, unsigned least, unsigned most, unsigned *number)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || value < least || value > most)
		return false;
	*number = (unsigned)value;
	return true;
}

char *issued_read_word(const char *word, struct issued_wish *wish)
{
	char ip[FORM_ENDPOINT_BYTES + 1];
	uint16_t port;

	if (strncmp(word, "address=", 8) == 0) {
		wish->address = word + 8;
		return form_endpoint(wish->address, ip, &port)
			       ? NULL
			       : xasprintf("%s: an address and port such as 192.0.2.1:2222 or "
					   "[2001:db8::1]:2222 is wanted",
					   word);
	}
	if (strncmp(word, "link=", 5) == 0) {
		wish->link = word + 5;
		return form_endpoint(wish->link, ip, &port)
			       ? NULL
			       : xasprintf("%s: an address and port such as 192.0.2.1:7400 or "
					   "[2001:db8::1]:7400 is wanted",
					   word);
	}
	if (strncmp(word, "for=", 4) == 0)
		return read_number(word + 4, CODE_SECONDS_MIN, CODE_SECONDS_MAX, &wish->seconds)
			       ? NULL
			       : xasprintf("%s: a number of seconds between 10 and 86400 is "
					   "wanted",
					   word);
	if (strncmp(word, "axl=", 4) == 0)
		return read_number(word + 4, 1, UINT16_MAX, &wish->axl_port)
			       ? NULL
			       : xasprintf("%s: a port is wanted", word);
	return xasprintf("%s: what pair takes is address=IP:PORT, link=IP:PORT, axl=PORT and "
			 "for=SECONDS",
			 word);
}

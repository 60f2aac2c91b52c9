#include "provision/pairing.h"

#include "base/alloc.h"
#include "provision/form.h"
#include "provision/json_lines.h"

#include <stdio.h>
#include <stdlib.h>

#define PROTOCOL 1
#define PASSWORD_BYTES 255

enum state {
	WAIT_HELLO,  /* we accept */
	WAIT_OFFER,  /* we dial */
	WAIT_STORED, /* we accept: the other pins us */
	STORING,     /* we pin the other */
	WAIT_DONE,   /* we dial: the other pins us */
	GIVEN_UP,    /* the other went away while we pin it */
	ENDED,
};

struct pairing {
	struct pairing_self self, other;
	bool dials;
	char *expected_node;
	enum state state;
	struct json_lines lines;
	struct buffer output;
	enum pairing_event_type due[2]; /* to be told, in this order */
	char why[512];
};

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void pairing_self_finish(struct pairing_self *self)
{
	free(self->node);
	free(self->role);
	free(self->link_pin);
	free(self->ssh_pin);
	free(self->link_address);
	free(self->axl_user);
	free(self->axl_pin);
	wipe(&self->axl_password);
	*self = (struct pairing_self){ 0 };
}

static void copy_self(const struct pairing_self *from, struct pairing_self *to)
{
	*to = (struct pairing_self){
		.node = xstrdup(from->node),
		.role = xstrdup(from->role),
		.link_pin = xstrdup(from->link_pin),
		.ssh_pin = xstrdup(from->ssh_pin),
		.link_address = xstrdup(from->link_address),
		.axl_port = from->axl_port,
		.axl_user = xstrdup(from->axl_user),
		.axl_password = xstrdup(from->axl_password),
		.axl_pin = xstrdup(from->axl_pin),
	};
}

/* "hello" or "offer": what we are. */
static void introduce(struct pairing *p, const char *type)
{
	const struct pairing_self *self = &p->self;
	json_t *line = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "type", type, "protocol",
				 PROTOCOL, "release", SALLYPORT_RELEASE, "node", self->node, "role",
				 self->role, "link_pin", self->link_pin, "ssh_pin", self->ssh_pin);

	if (self->link_address)
		json_object_set_new(line, "link_address", json_string(self->link_address));
	if (self->axl_port)
		json_object_set_new(
			line, "axl",
			json_pack("{s:i, s:s, s:s, s:s}", "port", (int)self->axl_port, "user",
				  self->axl_user ? self->axl_user : p->other.node, "password",
				  self->axl_password, "pin", self->axl_pin));
	json_lines_write(&p->output, line);
}

static void say(struct pairing *p, const char *type)
{
	json_lines_write(&p->output, json_pack("{s:s}", "type", type));
}

/* Events that are due */

static void tell(struct pairing *p, enum pairing_event_type type)
{
	p->due[p->due[0] != PAIRING_NONE] = type;
}

/* `why` may be p->why. */
static void fail(struct pairing *p, const char *why)
{
	if (why != p->why)
		snprintf(p->why, sizeof(p->why), "%s", why);
	if (p->state == STORING) { /* what becomes of that must be known first */
		p->state = GIVEN_UP;
		return;
	}
	if (p->state == WAIT_DONE)
		tell(p, PAIRING_UNDO);
	p->state = ENDED;
	tell(p, PAIRING_FAILED);
}

/* Both operators are told. */
static void refuse(struct pairing *p, const char *why)
{
	json_lines_write(&p->output,
			 json_pack("{s:s, s:o}", "type", "refused", "why", json_lines_text(why)));
	fail(p, why);
}

struct pairing *pairing_create(const struct pairing_self *self, bool dials,
			       const char *expected_node)
{
	struct pairing *p = xcalloc(1, sizeof(*p));

	copy_self(self, &p->self);
	p->dials = dials;
	p->expected_node = xstrdup(expected_node);
	p->state = dials ? WAIT_OFFER : WAIT_HELLO;
	if (!dials)
		return p;
	if (strcmp(self->role, "core") == 0) {
		introduce(p, "hello");
	} else {
		snprintf(p->why, sizeof(p->why), "%s is a node of role %s: join runs on a core",
			 self->node, self->role);
		fail(p, p->why);
	}
	return p;
}

void pairing_destroy(struct pairing **pairing)
{
	struct pairing *p = *pairing;

	if (!p)
		return;
	pairing_self_finish(&p->self);
	pairing_self_finish(&p->other);
	free(p->expected_node);
	json_lines_finish(&p->lines);
	buffer_finish(&p->output);
	free(p);
	*pairing = NULL;
}

/* What the other says about itself */

static const char *read_axl(const json_t *axl, struct pairing_self *other)
{
	const char *user = json_lines_string(axl, "user"),
		   *password = json_lines_string(axl, "password"),
		   *pin = json_lines_string(axl, "pin");
	uint64_t port;

	if (!json_lines_number(axl, "port", &port) || port == 0 || port > UINT16_MAX ||
	    !form_is_pin(pin))
		return "port or pin of the AXL service is not as it should be";
	if (!form_is_name(user) || !password || !password[0] || strlen(password) > PASSWORD_BYTES)
		return "user or password of the AXL service is not as it should be";
	for (const char *c = password; *c; c++) {
		if (*c <= ' ' || *c >= 0x7f)
			return "password of the AXL service is not as it should be";
	}
	other->axl_port = (unsigned)port;
	other->axl_user = xstrdup(user);
	other->axl_password = xstrdup(password);
	other->axl_pin = xstrdup(pin);
	return NULL;
}

/* NULL: it is as it should be; else what is not. */
static const char *read_self(const json_t *line, bool offers, struct pairing_self *other)
{
	const char *node = json_lines_string(line, "node"), *role = json_lines_string(line, "role"),
		   *link_pin = json_lines_string(line, "link_pin"),
		   *ssh_pin = json_lines_string(line, "ssh_pin"),
		   *address = json_lines_string(line, "link_address");
	const json_t *axl = json_object_get(line, "axl");

	if (!form_is_name(node) || !form_is_role(role))
		return "its name or role is not as it should be";
	if (!form_is_pin(link_pin) || !form_is_pin(ssh_pin))
		return "its keys' pins are not as they should be";
	if (offers && !form_is_link_address(address))
		return "the address of its link is not as it should be";
	other->node = xstrdup(node);
	other->role = xstrdup(role);
	other->link_pin = xstrdup(link_pin);
	other->ssh_pin = xstrdup(ssh_pin);
	other->link_address = offers ? xstrdup(address) : NULL;
	return offers && axl && strcmp(role, "home") == 0 ? read_axl(axl, other) : NULL;
}

/* Whether these two may pair; false: refused. */
static bool fit(struct pairing *p)
{
	const struct pairing_self *core = p->dials ? &p->self : &p->other,
				  *joined = p->dials ? &p->other : &p->self;

	if (strcmp(core->role, "core") != 0)
		snprintf(p->why, sizeof(p->why), "%s is a node of role %s: join runs on a core",
			 core->node, core->role);
	else if (strcmp(joined->role, "core") == 0)
		snprintf(p->why, sizeof(p->why),
			 "%s is a core: nobody dials a core; run pair on the edge or home node, "
			 "and join on the core",
			 joined->node);
	else if (strcmp(core->node, joined->node) == 0)
		snprintf(p->why, sizeof(p->why),
			 "both nodes are named %s: nodes that talk to each other have different "
			 "names",
			 core->node);
	else if (p->expected_node && strcmp(p->other.node, p->expected_node) != 0)
		snprintf(p->why, sizeof(p->why), "the code is of %s, but %s answered",
			 p->expected_node, p->other.node);
	else
		return true;
	refuse(p, p->why);
	return false;
}

static bool take_self(struct pairing *p, const json_t *line, const char *type)
{
	const char *said = json_lines_string(line, "type"), *why;
	uint64_t protocol;

	if (!said || strcmp(said, type) != 0) {
		snprintf(p->why, sizeof(p->why), "the other node did not say %s first", type);
	} else if (!json_lines_number(line, "protocol", &protocol) || protocol != PROTOCOL) {
		snprintf(p->why, sizeof(p->why),
			 "the other node speaks another protocol than %d: its release is another",
			 PROTOCOL);
	} else if ((why = read_self(line, p->dials, &p->other)) != NULL) {
		snprintf(p->why, sizeof(p->why), "the other node is refused: %s", why);
	} else {
		return fit(p);
	}
	refuse(p, p->why);
	return false;
}

static void begin_storing(struct pairing *p)
{
	p->state = STORING;
	tell(p, PAIRING_STORE);
}

static void refused(struct pairing *p, const json_t *line)
{
	const char *why = json_lines_string(line, "why");
	char text[300];

	snprintf(text, sizeof(text), "%.280s", why ? why : "it does not say why");
	snprintf(p->why, sizeof(p->why), "the other node refuses: %s", text);
	fail(p, p->why);
}

static void take_step(struct pairing *p, const json_t *line, const char *type)
{
	const char *said = json_lines_string(line, "type");

	if (!said || strcmp(said, type) != 0) {
		snprintf(p->why, sizeof(p->why), "the other node did not say %s", type);
		refuse(p, p->why);
	} else if (p->dials) {
		p->state = ENDED;
		tell(p, PAIRING_DONE);
	} else {
		begin_storing(p);
	}
}

static void take_line(struct pairing *p, const json_t *line)
{
	const char *type = json_lines_string(line, "type");

	if (type && strcmp(type, "refused") == 0) {
		refused(p, line);
		return;
	}
	switch (p->state) {
	case WAIT_HELLO:
		if (take_self(p, line, "hello")) {
			introduce(p, "offer");
			p->state = WAIT_STORED;
		}
		break;
	case WAIT_OFFER:
		if (take_self(p, line, "offer"))
			begin_storing(p);
		break;
	case WAIT_STORED:
		take_step(p, line, "stored");
		break;
	case WAIT_DONE:
		take_step(p, line, "done");
		break;
	case STORING:
	case GIVEN_UP:
	case ENDED:
		refuse(p, "the other node spoke out of turn");
		break;
	}
}

static void read_lines(struct pairing *p)
{
	const char *why;
	json_t *line;

	while (p->due[0] == PAIRING_NONE && p->state != ENDED && p->state != GIVEN_UP) {
		switch (json_lines_next(&p->lines, PAIRING_LINE_BYTES, &line, &why)) {
		case JSON_LINES_MORE:
			return;
		case JSON_LINES_OBJECT:
			take_line(p, line);
			json_decref(line);
			break;
		case JSON_LINES_BROKEN:
			snprintf(p->why, sizeof(p->why), "a line of the other node %s", why);
			refuse(p, p->why);
			break;
		}
	}
}

/* The doors */

void pairing_feed(struct pairing *p, struct slice bytes)
{
	/* One step is one line: who sends more does not know the protocol, and read_lines says so.
	 */
	if (p->state != ENDED && p->state != GIVEN_UP)
		buffer_append(&p->lines.bytes, bytes.data, bytes.len);
}

void pairing_stored(struct pairing *p, bool stored, const char *why)
{
	if (p->state == GIVEN_UP) {
		p->state = stored ? WAIT_DONE : ENDED; /* so that it is undone */
		fail(p, p->why);
	} else if (p->state == STORING && !stored) {
		p->state = ENDED;
		snprintf(p->why, sizeof(p->why), "%.63s cannot store the pairing: %.400s",
			 p->self.node, why);
		refuse(p, p->why);
	} else if (p->state == STORING && p->dials) {
		say(p, "stored");
		p->state = WAIT_DONE;
	} else if (p->state == STORING) {
		say(p, "done");
		p->state = ENDED;
		tell(p, PAIRING_DONE);
	}
}

void pairing_closed(struct pairing *p, const char *why)
{
	if (p->state != ENDED && p->state != GIVEN_UP)
		fail(p, why);
}

struct pairing_event pairing_next(struct pairing *p)
{
	struct pairing_event event = { .type = PAIRING_NONE };

	if (p->due[0] == PAIRING_NONE)
		read_lines(p);
	event.type = p->due[0];
	p->due[0] = p->due[1];
	p->due[1] = PAIRING_NONE;
	if (event.type != PAIRING_NONE && event.type != PAIRING_FAILED)
		event.other = &p->other;
	if (event.type == PAIRING_FAILED)
		event.why = p->why;
	return event;
}

struct buffer *pairing_output(struct pairing *p)
{
	return &p->output;
}

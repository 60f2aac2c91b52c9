#include "process/diag_orders.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "ipc/wire.h"
#include "policy/domain.h"
#include "process/diag_ports.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>

#define WORDS_MAX 32
#define WORD_BYTES 1024
#define SECONDS_OTHERWISE 600 /* of a diagnostic log */
#define PACKETS_OTHERWISE 100000
#define DIAGNOSTIC_NAME "diagnostic" /* of its capture */
#define CAPTURE_NAME_OTHERWISE "capture"

struct diag_orders {
	struct diag_orders_config config;
	struct diagnostic *diagnostic;
	/* A beginning that waits for its capture. */
	struct {
		bool waits;
		struct diagnostic_wish wish; /* author and domain are copies */
		char *author, *domain;
	} start;
};

struct order {
	struct diag_orders *orders;
	uint32_t request;
	const char *author;
	const char *const *words;
	size_t count;
};

/* Answers */

static void reply(struct diag_orders *orders, uint32_t request, bool done, const char *text)
{
	struct buffer body = { 0 };

	wire_put_u8(&body, done ? 0 : 1);
	wire_put_text(&body, text);
	supervisor_send(orders->config.supervisor, PROCESS_MANAGE, MESSAGE_CONFIG_REPLY, request,
			(struct slice){ buffer_data(&body), buffer_len(&body) });
	buffer_finish(&body);
}

static void done(const struct order *order, const char *text)
{
	reply(order->orders, order->request, true, text);
}

static void refuse(const struct order *order, const char *why)
{
	reply(order->orders, order->request, false, why);
}

/* Frees `why`. */
static void refuse_freeing(const struct order *order, char *why)
{
	refuse(order, why);
	free(why);
}

/* "SIZE BASE64" */
static void answer_piece(const struct order *order, uint64_t size, struct buffer *piece)
{
	struct buffer text = { 0 };
	char *all;

	buffer_printf(&text, "%" PRIu64 " ", size);
	base64_encode(&text, (struct slice){ buffer_data(piece), buffer_len(piece) });
	all = buffer_take_text(&text);
	done(order, all);
	free(all);
	buffer_finish(piece);
}

/* Words */

static uint64_t limit(const struct diag_orders *orders, const char *name)
{
	return strtoull(store_text(orders->config.node->store, name), NULL, 10);
}

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	if (!text || strspn(text, "0123456789") != strlen(text) || !*text || strlen(text) > 19)
		return false;
	*number = strtoull(text, &end, 10);
	return *number >= min && *number <= max;
}

/* What follows "for=", if the word is that. */
static bool read_for(const struct order *order, const char *word, uint32_t *seconds, char **why)
{
	uint64_t max = limit(order->orders, "limits.diagnostic_seconds"), number;

	if (!read_number(word + strlen("for="), 1, max, &number)) {
		*why = xasprintf("for= takes 1 to %" PRIu64 " seconds (limits.diagnostic_seconds)",
				 max);
		return false;
	}
	*seconds = (uint32_t)number;
	return true;
}

static bool begins(const char *word, const char *key)
{
	return strncmp(word, key, strlen(key)) == 0;
}

/* Captures */

static bool read_pair(const char *key, const char *value, struct capture_order *wanted, char **why)
{
	uint64_t number = 0;

	if (strcmp(key, "file") == 0) {
		wanted->name = value;
		if (capture_name_is_good(value) && strcmp(value, DIAGNOSTIC_NAME) != 0)
			return true;
		*why = xasprintf(
			"not a name for a capture: %s (letters, digits, . _ -, at most %d, "
			"and not " DIAGNOSTIC_NAME ")",
			value, CAPTURE_NAME_BYTES);
	} else if (strcmp(key, "count") == 0) {
		if (read_number(value, 1, UINT32_MAX, &wanted->job.packets))
			return true;
		*why = xstrdup("count takes a number of packets, 1 or more");
	} else if (strcmp(key, "size") == 0) {
		if (strcmp(value, "all") == 0)
			return true;
		if (read_number(value, 1, CAPTURE_SNAP_MAX, &number)) {
			wanted->job.snap = (uint32_t)number;
			return true;
		}
		*why = xasprintf("size takes bytes of each packet, 1 to %d, or all",
				 CAPTURE_SNAP_MAX);
	} else if (strcmp(key, "port") == 0) {
		if (wanted->job.ports_count < CAPTURE_PORTS_MAX &&
		    read_number(value, 1, UINT16_MAX, &number)) {
			wanted->job.ports[wanted->job.ports_count++] = (uint16_t)number;
			return true;
		}
		*why = xstrdup("port takes a number, 1 to 65535");
	} else {
		*why = xasprintf("not a word of this command: %s", key);
	}
	return false;
}

static bool read_capture(const struct order *order, struct capture_order *wanted, char **why)
{
	for (size_t i = 1; i < order->count; i++) {
		if (begins(order->words[i], "for=")) {
			if (!read_for(order, order->words[i], &wanted->job.seconds, why))
				return false;
		} else if (i + 1 == order->count) {
			*why = xasprintf("%s: nothing follows it", order->words[i]);
			return false;
		} else {
			if (!read_pair(order->words[i], order->words[i + 1], wanted, why))
				return false;
			i++;
		}
	}
	return true;
}

static void prepare(const struct order *order, const char *interface, struct capture_order *wanted)
{
	*wanted = (struct capture_order){
		.author = order->author,
		.job = { .bytes = limit(order->orders, "limits.capture_bytes"),
			 .snap = CAPTURE_SNAP_MAX,
			 .seconds = (uint32_t)limit(order->orders, "limits.diagnostic_seconds") },
	};
	memcpy(wanted->job.interface, interface, strlen(interface));
}

static void capture_begun(void *arg, uint32_t request, const char *name, const char *why)
{
	struct diag_orders *orders = arg;
	char *text = why ? xasprintf("nothing is captured: %s", why)
			 : xasprintf("capturing into %s; `sallyport capture stop` ends it", name);

	reply(orders, request, !why, text);
	free(text);
}

static void capture_start(const struct order *order)
{
	struct capture_order wanted;
	char *why = NULL;

	if (strlen(order->words[0]) > CAPTURE_INTERFACE_BYTES) {
		refuse_freeing(order, xasprintf("no such interface: %s", order->words[0]));
		return;
	}
	prepare(order, order->words[0], &wanted);
	wanted.name = CAPTURE_NAME_OTHERWISE;
	wanted.job.packets = PACKETS_OTHERWISE;
	if (read_capture(order, &wanted, &why))
		captures_start(order->orders->config.captures, &wanted, capture_begun,
			       order->orders, order->request);
	else
		refuse_freeing(order, why);
}

static void capture_over(void *arg, uint32_t request, const char *name, const char *why)
{
	char *text =
		why ? xstrdup(why)
		    : xasprintf("%s is over; `sallyport capture get %s FILE` saves it", name, name);

	reply(arg, request, !why, text);
	free(text);
}

static void capture_stop(const struct order *order)
{
	captures_stop(order->orders->config.captures, capture_over, order->orders, order->request);
}

static void tell_taken(const struct order *order, const char *what, const char *name,
		       uint64_t offset, uint64_t size)
{
	if (offset == 0) /* once, not for each piece */
		log_event(EVENT_DIAG_TAKEN, "by=\"%s\" what=%s name=%s bytes=%" PRIu64,
			  order->author, what, log_text(name), size);
}

static void capture_part_of(const struct order *order, const char *name, const char *offset_text)
{
	struct buffer piece = { 0 };
	uint64_t offset, size = 0;
	char *why = NULL;

	if (!read_number(offset_text, 0, INT64_MAX, &offset))
		refuse(order, "not a place in a file");
	else if (!captures_read(order->orders->config.captures, name, offset, &piece, &size, &why))
		refuse_freeing(order, why);
	else {
		tell_taken(order, "capture", name, offset, size);
		answer_piece(order, size, &piece);
	}
}

static void capture_part(const struct order *order)
{
	capture_part_of(order, order->words[0], order->words[1]);
}

/* The diagnostic log */

static bool read_start(const struct order *order, struct diagnostic_wish *wish,
		       char domain[DOMAIN_BYTES + 1], char **why)
{
	uint64_t max = limit(order->orders, "limits.diagnostic_seconds");
	uint32_t seconds = (uint32_t)(max < SECONDS_OTHERWISE ? max : SECONDS_OTHERWISE);

	*wish = (struct diagnostic_wish){ .author = order->author };
	for (size_t i = 0; i < order->count; i++) {
		const char *word = order->words[i];

		if (strcmp(word, "capture") == 0) {
			wish->capture = true;
		} else if (strcmp(word, "secrets") == 0) {
			wish->secrets = true;
		} else if (begins(word, "for=")) {
			if (!read_for(order, word, &seconds, why))
				return false;
		} else if (begins(word, "domain=") &&
			   domain_prepare(slice_of(word + strlen("domain=")), domain)) {
			wish->domain = domain;
		} else {
			*why = xasprintf(begins(word, "domain=") ? "not a domain: %s"
								 : "not a word of this command: %s",
					 word);
			return false;
		}
	}
	wish->seconds = seconds;
	if (wish->secrets && !wish->capture)
		*why = xstrdup("secrets are for reading a capture: ask for `capture secrets`");
	return *why == NULL;
}

static void answer_start(struct diag_orders *orders, uint32_t request)
{
	const struct diagnostic_wish *wish = &orders->start.wish;
	struct diagnostic_facts before = diagnostic_facts(orders->diagnostic);
	char *text, *replaced, *why = NULL;

	replaced = before.state == DIAGNOSTIC_NONE
			   ? xstrdup("")
			   : xasprintf("; the one before it is gone, %" PRIu64 " lines by %s",
				       before.lines, before.author);
	if (!diagnostic_start(orders->diagnostic, wish, &why)) {
		reply(orders, request, false, why);
		free(replaced);
		free(why);
		return;
	}
	text = xasprintf("a diagnostic log runs for %u s; all modules log at level debug%s%s%s",
			 wish->seconds, wish->capture ? ", packets are captured" : "",
			 wish->secrets ? ", with the TLS secrets of streams that begin now" : "",
			 replaced);
	reply(orders, request, true, text);
	free(replaced);
	free(text);
}

static void forget_start(struct diag_orders *orders)
{
	free(orders->start.author);
	free(orders->start.domain);
	orders->start.author = orders->start.domain = NULL;
	orders->start.waits = false;
}

static bool captures_for_it(const struct diag_orders *orders)
{
	const char *name = captures_running(orders->config.captures);

	return name && strcmp(name, DIAGNOSTIC_NAME) == 0;
}

/* Its capture has begun, or the one before has ended. */
static void go_on_start(void *arg, uint32_t request, const char *name, const char *why)
{
	struct diag_orders *orders = arg;
	char *text;

	if (why && (orders->start.wish.capture || captures_for_it(orders))) {
		text = xasprintf("no diagnostic log was begun: %s%s",
				 orders->start.wish.capture ? "nothing can be captured: "
							    : "the capture of the one before: ",
				 why);
		reply(orders, request, false, text);
		free(text);
	} else {
		if (!orders->start.wish.capture)
			captures_forget(orders->config.captures, DIAGNOSTIC_NAME);
		answer_start(orders, request);
	}
	forget_start(orders);
}

static void start_capture(const struct order *order)
{
	struct diag_orders *orders = order->orders;
	const struct diagnostic_wish *wish = &orders->start.wish;
	struct capture_order wanted;

	prepare(order, "any", &wanted);
	wanted.name = DIAGNOSTIC_NAME;
	wanted.secrets = wish->secrets;
	wanted.domain = orders->start.domain;
	wanted.job.packets = UINT64_MAX;
	wanted.job.seconds = wish->seconds;
	diag_ports(orders->config.node, orders->config.listeners, wish->secrets && !wish->domain,
		   &wanted.job);
	captures_start(orders->config.captures, &wanted, go_on_start, orders, order->request);
}

static void diag_start(const struct order *order)
{
	struct diag_orders *orders = order->orders;
	char domain[DOMAIN_BYTES + 1], *why = NULL;
	struct diagnostic_wish wish;

	if (orders->start.waits) {
		refuse(order, "another diagnostic log is just beginning");
		return;
	}
	if (!read_start(order, &wish, domain, &why)) {
		refuse_freeing(order, why);
		return;
	}
	orders->start.waits = true;
	orders->start.author = xstrdup(wish.author);
	orders->start.domain = wish.domain ? xstrdup(wish.domain) : NULL;
	orders->start.wish = wish;
	orders->start.wish.author = orders->start.author;
	orders->start.wish.domain = orders->start.domain;
	if (wish.capture)
		start_capture(order);
	else if (captures_for_it(orders))
		captures_stop(orders->config.captures, go_on_start, orders, order->request);
	else
		go_on_start(orders, order->request, "", NULL);
}

static void diag_mark(const struct order *order)
{
	if (diagnostic_facts(order->orders->diagnostic).state != DIAGNOSTIC_RUNNING) {
		refuse(order, "no diagnostic log runs; `sallyport diag start` begins one");
		return;
	}
	log_event(EVENT_DIAG_MARK, "by=\"%s\" text=\"%s\"", order->author, order->words[0]);
	done(order, "marked");
}

static void answer_stop(struct diag_orders *orders, uint32_t request, const char *why)
{
	struct diagnostic_facts facts = diagnostic_facts(orders->diagnostic);
	char *text = xasprintf("the diagnostic log is over: %" PRIu64 " lines, %" PRIu64
			       " bytes%s%s; `sallyport diag bundle FILE` saves it",
			       facts.lines, facts.bytes,
			       why ? "; its capture brought nothing: " : "", why ? why : "");

	reply(orders, request, true, text);
	free(text);
}

static void capture_stopped(void *arg, uint32_t request, const char *name, const char *why)
{
	answer_stop(arg, request, why);
}

static void diag_stop(const struct order *order)
{
	struct diag_orders *orders = order->orders;
	bool capture;
	char *why;

	switch (diagnostic_facts(orders->diagnostic).state) {
	case DIAGNOSTIC_NONE:
		refuse(order, "no diagnostic log runs");
		return;
	case DIAGNOSTIC_KEPT:
		refuse(order, "no diagnostic log runs: the last one is over; `sallyport diag "
			      "bundle FILE` saves it");
		return;
	case DIAGNOSTIC_RUNNING:
		break;
	}
	capture = diagnostic_facts(orders->diagnostic).capture;
	why = xasprintf("%s ended it", order->author);
	diagnostic_stop(orders->diagnostic, why);
	free(why);
	if (captures_for_it(orders))
		captures_stop(orders->config.captures, capture_stopped, orders, order->request);
	else
		answer_stop(orders, order->request,
			    capture ? captures_loss(orders->config.captures, DIAGNOSTIC_NAME)
				    : NULL);
}

static void diag_status(const struct order *order)
{
	static const char *const states[] = { "none", "running", "kept" };
	struct diagnostic_facts facts = diagnostic_facts(order->orders->diagnostic);
	char *text = xasprintf("%s %" PRId64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %s %s %s",
			       states[facts.state], (int64_t)facts.began, (int64_t)facts.ends,
			       facts.lines, facts.bytes, facts.capture ? "yes" : "no",
			       facts.secrets ? "yes" : "no", *facts.author ? facts.author : "-");

	done(order, text);
	free(text);
}

static void log_part(const struct order *order)
{
	struct buffer piece = { 0 };
	uint64_t offset, size = 0;
	char *why = NULL;

	if (!read_number(order->words[1], 0, INT64_MAX, &offset))
		refuse(order, "not a place in a file");
	else if (!diagnostic_read(order->orders->diagnostic, offset, &piece, &size, &why))
		refuse_freeing(order, why);
	else {
		tell_taken(order, "log", "log", offset, size);
		answer_piece(order, size, &piece);
	}
}

/* Nothing, where none was asked for. */
static void diagnostic_capture_part(const struct order *order)
{
	struct diagnostic_facts facts = diagnostic_facts(order->orders->diagnostic);

	if (facts.state != DIAGNOSTIC_NONE && !facts.capture)
		answer_piece(order, 0, &(struct buffer){ 0 });
	else
		capture_part_of(order, DIAGNOSTIC_NAME, order->words[1]);
}

static void diag_part(const struct order *order)
{
	if (strcmp(order->words[0], "log") == 0)
		log_part(order);
	else if (strcmp(order->words[0], "capture") == 0)
		diagnostic_capture_part(order);
	else
		refuse_freeing(order, xasprintf("there is no such part: %s", order->words[0]));
}

static const struct {
	const char *name;
	size_t min, max; /* words after the author */
	void (*run)(const struct order *order);
} verbs[] = {
	{ "capture-start", 1, 30, capture_start }, { "capture-stop", 0, 0, capture_stop },
	{ "capture-part", 2, 2, capture_part },	   { "diag-start", 0, 5, diag_start },
	{ "diag-mark", 1, 1, diag_mark },	   { "diag-stop", 0, 0, diag_stop },
	{ "diag-status", 0, 0, diag_status },	   { "diag-part", 2, 2, diag_part },
};

static size_t find_verb(struct slice name)
{
	size_t i = 0;

	while (i < nitems(verbs) && !slice_is(name, verbs[i].name))
		i++;
	return i;
}

static void run(struct diag_orders *orders, uint32_t request, size_t verb, struct wire *in,
		size_t count)
{
	char *words[WORDS_MAX + 1] = { NULL };
	size_t read = 0;
	struct order order = { .orders = orders, .request = request };

	while (read < count && read < WORDS_MAX && !in->failed)
		words[read++] = wire_get_text(in, WORD_BYTES);
	order.author = words[0];
	order.words = (const char *const *)words + 1;
	order.count = read - 1;
	if (!wire_is_done(in) || order.count < verbs[verb].min || order.count > verbs[verb].max)
		refuse(&order, "not the arguments of this command, or too long");
	else
		verbs[verb].run(&order);
	while (read)
		free(words[--read]);
}

bool diag_orders_take(struct diag_orders *orders, const struct message *message)
{
	struct wire in = wire_read(message->body);
	size_t count = wire_get_u16(&in);
	size_t verb = find_verb(wire_get_slice(&in));

	if (verb == nitems(verbs) || count < 2)
		return false;
	run(orders, message->request, verb, &in, count - 1);
	return true;
}

/* Life */

static void stopped_with_it(void *arg, uint32_t request, const char *name, const char *why)
{
	/* how it ended is in the log */
}

static void on_verbosity(void *arg)
{
	struct diag_orders *orders = arg;

	orders->config.verbosity(orders->config.arg);
}

static void on_over(void *arg)
{
	struct diag_orders *orders = arg;

	if (captures_for_it(orders))
		captures_stop(orders->config.captures, stopped_with_it, NULL, 0);
}

struct diag_orders *diag_orders_create(const struct diag_orders_config *config)
{
	struct diag_orders *orders = xcalloc(1, sizeof(*orders));

	orders->config = *config;
	orders->diagnostic = diagnostic_create(
		&(struct diagnostic_config){ config->loop, on_verbosity, on_over, orders });
	return orders;
}

void diag_orders_destroy(struct diag_orders **orders_ref)
{
	struct diag_orders *orders = *orders_ref;

	if (!orders)
		return;
	*orders_ref = NULL;
	diagnostic_destroy(&orders->diagnostic);
	forget_start(orders);
	free(orders);
}

struct diagnostic *diag_orders_diagnostic(struct diag_orders *orders)
{
	return orders->diagnostic;
}

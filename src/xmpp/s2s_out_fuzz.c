#include "xmpp/s2s_out.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The input is a dialogue: bytes of the peer's, with inputs of the driver's in between, each one
 * control character. What must hold: the stream is ready only after a key was given and a result
 * asked for, each question of ours gets exactly one verdict, and before S2S_CLOSED, nothing
 * follows that, output and notes are bounded, and a session that is left alone ends.
 */
#define REQUESTS 512

struct fuzz {
	struct s2s_out *out;
	uint64_t check, asked;
	bool verified[REQUESTS];
	size_t verdicts, output;
	bool wants_key, has_key, is_closed;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void look_at(struct fuzz *fuzz, const struct s2s_action *action)
{
	must(!fuzz->is_closed || action->type == S2S_NONE);
	switch (action->type) {
	case S2S_MAKE_KEY:
		must(action->claim.stream_id[0] != '\0');
		fuzz->wants_key = true;
		fuzz->has_key = false;
		break;
	case S2S_READY:
		must(fuzz->has_key && s2s_out_is_ready(fuzz->out));
		break;
	case S2S_CHECK_KEY:
		must(strcmp(action->claim.sender_domain, "a.example") == 0);
		fuzz->check = action->request;
		break;
	case S2S_VERIFIED:
		must(action->request < fuzz->asked && !fuzz->verified[action->request]);
		fuzz->verified[action->request] = true;
		fuzz->verdicts++;
		break;
	case S2S_NOTE:
		must(action->text.len <= 500);
		break;
	case S2S_TIMER:
		must(action->seconds > 0);
		break;
	case S2S_STANZA:
	case S2S_VERIFY:
		abort();
	case S2S_CLOSED:
		must(fuzz->verdicts == fuzz->asked);
		fuzz->is_closed = true;
		break;
	default:
		break;
	}
}

static void run(struct fuzz *fuzz)
{
	struct buffer *output = s2s_out_output(fuzz->out);
	struct s2s_action action;

	do {
		action = s2s_out_next(fuzz->out);
		look_at(fuzz, &action);
		fuzz->output += buffer_len(output);
		buffer_consume(output, buffer_len(output));
	} while (action.type != S2S_NONE);
}

static void ask(struct fuzz *fuzz)
{
	char id[2] = { (char)('0' + fuzz->asked % 3), '\0' };

	if (fuzz->is_closed || fuzz->asked == REQUESTS)
		return;
	s2s_out_verify(fuzz->out, &(struct dialback_claim){ "b.example", "a.example", id },
		       slice_of("key"), fuzz->asked++);
}

static void driver_does(struct fuzz *fuzz, uint8_t what)
{
	switch (what) {
	case 1:
		s2s_out_connected(fuzz->out);
		break;
	case 2:
		s2s_out_secured(fuzz->out, &(struct s2s_tls){ .certificate_valid = true });
		break;
	case 3:
		s2s_out_want_ready(fuzz->out);
		break;
	case 4:
		fuzz->has_key = fuzz->wants_key;
		s2s_out_key(fuzz->out, "0123456789abcdef");
		break;
	case 5:
		ask(fuzz);
		break;
	case 6:
		s2s_out_key_checked(fuzz->out, fuzz->check, true);
		break;
	case 7:
		s2s_out_timeout(fuzz->out);
		break;
	case 8:
		s2s_out_close(fuzz->out, "system-shutdown", FAILURE_SHUTDOWN);
		break;
	default:
		s2s_out_closed(fuzz->out, FAILURE_NONE, NULL);
	}
	run(fuzz);
}

static void peer_sends(struct fuzz *fuzz, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t room = len;
		char *to = s2s_out_room(fuzz->out, &room);

		room = room < len ? room : len;
		if (room == 0)
			return; /* after the end nothing is taken */
		memcpy(to, bytes, room);
		s2s_out_filled(fuzz->out, room);
		bytes += room;
		len -= room;
		run(fuzz);
	}
}

static void is_left_alone(struct fuzz *fuzz)
{
	s2s_out_connected(fuzz->out);
	run(fuzz);
	for (uint64_t i = 1; i < 100 && !fuzz->is_closed; i++) {
		s2s_out_tell_time(fuzz->out, 1000 + i * 1000000);
		s2s_out_timeout(fuzz->out);
		run(fuzz);
	}
	must(fuzz->is_closed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = { .asked = 0 };

	fuzz.out = s2s_out_create(&(struct s2s_out_options){
		.local_domain = "a.example",
		.remote_domain = "b.example",
		.security = size % 2 ? SECURITY_TLS_OPTIONAL : SECURITY_TLS_REQUIRED,
		.verify_certificate = true,
		.timeouts = { 10, 30, 20, 60, 300 } });
	s2s_out_tell_time(fuzz.out, 1000);
	for (size_t at = 0; at < size;) {
		size_t len = 0;

		while (at + len < size && data[at + len] > 9)
			len++;
		peer_sends(&fuzz, data + at, len);
		at += len;
		if (at < size && data[at] <= 9)
			driver_does(&fuzz, data[at]);
		at += at < size;
	}
	is_left_alone(&fuzz);
	must(fuzz.output <= 4096 + 64 * size + 512 * fuzz.asked);
	s2s_out_destroy(&fuzz.out);
	return 0;
}

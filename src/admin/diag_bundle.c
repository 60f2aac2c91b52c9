#include "admin/diag_internal.h"

#include "admin/log_merge.h"
#include "admin/tar.h"
#include "base/alloc.h"
#include "base/utc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BUNDLE_BYTES                                                                               \
	((uint64_t)512 << 20) /* of all nodes, before it is packed: it lies in memory */
#define NODES_MAX LOG_MERGE_MAX
#define STEP_BYTES 262144 /* packed in one turn; then others get theirs */

static const struct {
	const char *what, *file;
} parts[] = {
	{ "log", "log.txt" },		{ "config", "settings.txt" },
	{ "status", "status.json" },	{ "alarms", "alarms.json" },
	{ "versions", "versions.txt" }, { "capture", "capture.pcapng" },
};

enum { PART_LOG = 0, PARTS = 6 };

struct node {
	char *name;
	struct buffer parts[PARTS];
};

struct diag_bundle {
	struct diag *diag;
	uint64_t number;
	char *author, *folder;
	struct node nodes[NODES_MAX];
	size_t nodes_count;
	uint64_t bytes;
	struct buffer notes; /* for the README: what is not there, and why */
	/* fetching: this part of this node comes next */
	size_t node, part;
	uint64_t part_size; /* as the node says */
	/* packing: the file, how much of it is packed, and what is left of the merged log */
	struct tar *tar;
	size_t file;
	uint64_t packed;
	struct log_merge merge;
	struct slice line; /* what is left of one; data NULL: none is begun */
	bool merging;
	struct timer timer;
};

static void finish(struct diag_bundle *bundle)
{
	bundle->diag->bundle = NULL;
	loop_disarm(bundle->diag->config.loop, &bundle->timer);
	for (size_t i = 0; i < bundle->nodes_count; i++) {
		free(bundle->nodes[i].name);
		for (size_t p = 0; p < PARTS; p++)
			buffer_finish(&bundle->nodes[i].parts[p]);
	}
	tar_destroy(&bundle->tar);
	buffer_finish(&bundle->notes);
	free(bundle->author);
	free(bundle->folder);
	free(bundle);
}

static void end(struct diag_bundle *bundle, bool done, const char *text)
{
	struct desk *desk = bundle->diag->config.desk;
	uint64_t number = bundle->number;

	finish(bundle);
	desk_answer(desk, number, done ? REPLY_DONE : REPLY_FAILED, text, NULL);
}

void diag_bundle_gone(void *arg, uint64_t number)
{
	struct diag *diag = arg;

	if (diag->bundle && diag->bundle->number == number)
		finish(diag->bundle);
}

void diag_bundle_finish(struct diag *diag)
{
	if (diag->bundle)
		finish(diag->bundle);
}

static void soon(struct diag_bundle *bundle, unsigned in_ms)
{
	loop_arm(bundle->diag->config.loop, &bundle->timer, in_ms);
}

/* Packing: README, merged.log, then each part of each node that brought something */

static const char readme[] =
	"A diagnostic bundle of Sallyport.\n\n"
	"merged.log          the logs of all nodes by time. Each clock is its own node's: see\n"
	"                    skew_ms of the tunnels in status.json\n"
	"NODE/log.txt        that node's alone, as it came from that node\n"
	"NODE/settings.txt   as `sallyport config export` prints them: secrets are fingerprints\n"
	"NODE/status.json    as `sallyport status --json`; alarms.json likewise\n"
	"NODE/versions.txt   what runs there\n"
	"NODE/capture.pcapng packets, if they were captured\n\n"
	"To read a capture in tshark (5270, if streams begin with TLS, by -z follow,tls):\n\n"
	"    tshark -r NODE/capture.pcapng -d tcp.port==5269,xmpp -d tcp.port==7400,tls -Y xmpp\n\n"
	"In Wireshark: Analyze > Decode As..., port 5269 as XMPP; links (7400) as TLS. If the\n"
	"capture was taken with secrets, they are in the file and it decrypts by itself; then\n"
	"whoever has the file can read what people wrote. Of streams that were open before it\n"
	"began there are no secrets.\n";

static struct buffer *part_of(struct diag_bundle *bundle, size_t file)
{
	return &bundle->nodes[file / PARTS].parts[file % PARTS];
}

static size_t files_count(const struct diag_bundle *bundle)
{
	return bundle->nodes_count * PARTS;
}

static bool pack(struct diag_bundle *bundle, const char *name, uint64_t size, struct slice bytes)
{
	char *path = xasprintf("%s/%s", bundle->folder, name);
	const char *why;
	bool packed =
		tar_file(bundle->tar, path, size, &why) && tar_bytes(bundle->tar, bytes, &why);

	free(path);
	if (!packed)
		end(bundle, false, why);
	return packed;
}

static bool pack_readme(struct diag_bundle *bundle)
{
	struct buffer text = { 0 };
	bool packed;

	buffer_append_text(&text, readme);
	if (buffer_len(&bundle->notes)) {
		buffer_append_text(&text, "\nNot here, or not all of it:\n\n");
		buffer_append(&text, buffer_data(&bundle->notes), buffer_len(&bundle->notes));
	}
	packed = pack(bundle, "README.txt", buffer_len(&text),
		      (struct slice){ buffer_data(&text), buffer_len(&text) });
	buffer_finish(&text);
	return packed;
}

static bool begin_merged(struct diag_bundle *bundle)
{
	for (size_t i = 0; i < bundle->nodes_count; i++) {
		const struct buffer *log = &bundle->nodes[i].parts[PART_LOG];

		if (buffer_len(log))
			log_merge_add(&bundle->merge,
				      (struct slice){ buffer_data(log), buffer_len(log) });
	}
	bundle->merging = true;
	return pack(bundle, "merged.log", log_merge_bytes(&bundle->merge), (struct slice){ "", 0 });
}

/* False: it is over. */
static bool give(struct diag_bundle *bundle, struct slice bytes)
{
	const char *why;

	if (tar_bytes(bundle->tar, bytes, &why))
		return true;
	end(bundle, false, why);
	return false;
}

static bool pack_merged(struct diag_bundle *bundle)
{
	struct slice *line = &bundle->line;
	struct buffer lines = { 0 };
	bool packed;

	while (buffer_len(&lines) < STEP_BYTES) {
		size_t len;

		bundle->merging = line->data || log_merge_next(&bundle->merge, line);
		if (!bundle->merging)
			break;
		len = line->len < STEP_BYTES ? line->len : STEP_BYTES;
		buffer_append(&lines, line->data, len);
		*line = (struct slice){ line->data + len, line->len - len };
		if (line->len)
			continue;
		buffer_append_text(&lines, "\n");
		line->data = NULL;
	}
	packed = give(bundle, (struct slice){ buffer_data(&lines), buffer_len(&lines) });
	buffer_finish(&lines);
	return packed;
}

static bool begin_file(struct diag_bundle *bundle)
{
	char *name = xasprintf("%s/%s", bundle->nodes[bundle->file / PARTS].name,
			       parts[bundle->file % PARTS].file);
	bool packed = pack(bundle, name, buffer_len(part_of(bundle, bundle->file)),
			   (struct slice){ "", 0 });

	free(name);
	return packed;
}

static bool pack_file(struct diag_bundle *bundle)
{
	struct buffer *part = part_of(bundle, bundle->file);
	size_t left = buffer_len(part) - bundle->packed;
	struct slice bytes = { "", left < STEP_BYTES ? left : STEP_BYTES };

	if (bytes.len)
		bytes.data = buffer_data(part) + bundle->packed;
	if (!left || (!bundle->packed && !begin_file(bundle)) || !give(bundle, bytes))
		return !left;
	bundle->packed += bytes.len;
	return true;
}

/* False: who asked has gone meanwhile, and the bundle with him. */
static bool tell_output(struct diag_bundle *bundle, bool last)
{
	struct diag *diag = bundle->diag;
	struct buffer *out = tar_output(bundle->tar);
	uint64_t number = bundle->number;
	json_t *data;

	while (buffer_len(out) >= STEP_BYTES || (last && buffer_len(out))) {
		size_t len =
			buffer_len(out) < DIAG_PIECE_BYTES ? buffer_len(out) : DIAG_PIECE_BYTES;

		bundle->bytes += len;
		data = diag_piece(bundle->bytes, (struct slice){ buffer_data(out), len });
		buffer_consume(out, len);
		desk_tell(diag->config.desk, number, "", data);
		json_decref(data);
		if (!diag->bundle || diag->bundle->number != number)
			return false;
	}
	return true;
}

static void end_packing(struct diag_bundle *bundle)
{
	const char *why;
	char *text, *notes;

	if (!tar_end(bundle->tar, &why)) {
		end(bundle, false, why);
		return;
	}
	if (!tell_output(bundle, true))
		return;
	notes = buffer_take_text(&bundle->notes);
	text = xasprintf("%" PRIu64 " bytes of %zu node%s%s%s", bundle->bytes, bundle->nodes_count,
			 bundle->nodes_count == 1 ? "" : "s", *notes ? "; not in it:\n" : "",
			 notes);
	end(bundle, true, text);
	free(notes);
	free(text);
}

/* One step: at most about STEP_BYTES. */
static void pack_on(struct diag_bundle *bundle)
{
	if (desk_behind(bundle->diag->config.desk, bundle->number) > DIAG_BEHIND_BYTES) {
		soon(bundle, DIAG_WAIT_MS);
		return;
	}
	if (bundle->merging) {
		if (!pack_merged(bundle))
			return;
	} else if (bundle->file == files_count(bundle)) {
		end_packing(bundle);
		return;
	} else {
		if (!pack_file(bundle))
			return;
		if (bundle->packed == buffer_len(part_of(bundle, bundle->file))) {
			bundle->file++;
			bundle->packed = 0;
		}
	}
	if (tell_output(bundle, false))
		soon(bundle, 0);
}

static void begin_packing(struct diag_bundle *bundle)
{
	bundle->tar = tar_create(time(NULL));
	bundle->bytes = 0;
	if (pack_readme(bundle) && begin_merged(bundle))
		soon(bundle, 0);
}

/* Fetching */

static void next_part(struct diag_bundle *bundle)
{
	bundle->part_size = 0;
	if (++bundle->part == PARTS) {
		bundle->part = 0;
		bundle->node++;
	}
}

static void note(struct diag_bundle *bundle, const char *node, const char *what, const char *why)
{
	buffer_printf(&bundle->notes, "%s: %s: %s\n", node, what, why);
}

/* What came of it already stays. */
static void note_part(struct diag_bundle *bundle, const char *why)
{
	struct node *node = &bundle->nodes[bundle->node];
	size_t got = buffer_len(&node->parts[bundle->part]);
	char *text = got ? xasprintf("cut short after %zu of %" PRIu64 " bytes: %s", got,
				     bundle->part_size, why)
			 : xstrdup(why);

	bundle->bytes += got;
	note(bundle, node->name, parts[bundle->part].what, text);
	free(text);
}

static void on_piece(struct diag *diag, uint64_t number, const struct diag_answer *answer)
{
	struct diag_bundle *bundle = diag->bundle;
	struct node *node;
	struct buffer *part;
	size_t before;
	uint64_t size = 0;

	if (!bundle || bundle->number != number)
		return;
	node = &bundle->nodes[bundle->node];
	part = &node->parts[bundle->part];
	before = buffer_len(part);
	if (!answer->done || !diag_piece_read(answer->data, part, &size)) {
		note_part(bundle, answer->done ? "the answer cannot be read" : answer->text);
		next_part(bundle);
	} else if (bundle->bytes + size > BUNDLE_BYTES) {
		note(bundle, node->name, parts[bundle->part].what,
		     "too large for a bundle, which has 512 MiB at most");
		buffer_finish(part);
		next_part(bundle);
	} else if (buffer_len(part) >= size || buffer_len(part) == before) {
		bundle->bytes += buffer_len(part);
		next_part(bundle);
	} else {
		bundle->part_size = size;
	}
	soon(bundle, 0);
}

static void fetch(struct diag_bundle *bundle)
{
	struct node *node = &bundle->nodes[bundle->node];
	const char *what = parts[bundle->part].what;
	uint64_t offset = buffer_len(&node->parts[bundle->part]);
	char *place;

	if (bundle->node == 0) {
		diag_part(bundle->diag, bundle->author, what, offset, on_piece, bundle->number);
		return;
	}
	place = xasprintf("%" PRIu64, offset);
	diag_ask_node(bundle->diag, node->name,
		      (const char *[]){ "diag", "part", what, place, NULL }, 4, on_piece,
		      bundle->number);
	free(place);
}

static void go_on(struct timer *timer)
{
	struct diag_bundle *bundle = (void *)((char *)timer - offsetof(struct diag_bundle, timer));

	if (bundle->tar)
		pack_on(bundle);
	else if (bundle->node < bundle->nodes_count)
		fetch(bundle);
	else
		begin_packing(bundle);
}

/* Beginning */

static void add_node(struct diag_bundle *bundle, const char *name)
{
	if (bundle->nodes_count < NODES_MAX)
		bundle->nodes[bundle->nodes_count++].name = xstrdup(name);
	else
		note(bundle, name, "all", "more nodes than a bundle holds");
}

static bool has_node(const struct diag_bundle *bundle, const char *name)
{
	for (size_t i = 0; i < bundle->nodes_count; i++) {
		if (strcmp(bundle->nodes[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Those that told of themselves once and cannot be asked now are named, not passed over. */
static void add_nodes(struct diag_bundle *bundle)
{
	struct diag *diag = bundle->diag;
	json_t *reachable = diag_others(diag), *node;
	json_t *others = tunnels_others(diag->config.tunnels);
	const char *name;
	size_t i;

	add_node(bundle, diag->node);
	json_array_foreach(reachable, i, node) add_node(bundle, json_string_value(node));
	json_object_foreach(others, name, node)
	{
		if (!has_node(bundle, name) && diag_is_asked(node))
			note(bundle, name, "all", DIAG_UNREACHED);
	}
	json_decref(reachable);
	json_decref(others);
}

static char *folder_name(const char *node)
{
	time_t now = time(NULL);
	struct tm day;
	char text[32] = "";

	if (gmtime_r(&now, &day))
		strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &day);
	return xasprintf("sallyport-%s-%s", node, text);
}

void diag_bundle_begin(void *arg, const struct errand *errand)
{
	struct diag *diag = arg;
	struct diag_bundle *bundle;

	if (diag->bundle) {
		desk_answer(diag->config.desk, errand->number, REPLY_FAILED,
			    "another bundle is being made: try again", NULL);
		return;
	}
	bundle = xcalloc(1, sizeof(*bundle));
	bundle->diag = diag;
	bundle->number = errand->number;
	bundle->author = xstrdup(errand->visitor->name);
	bundle->folder = folder_name(diag->node);
	bundle->timer.fire = go_on;
	diag->bundle = bundle;
	if (errand->visitor->is_node)
		add_node(bundle, diag->node);
	else
		add_nodes(bundle);
	desk_tell(diag->config.desk, errand->number, "", NULL); /* it takes its time from here on */
	if (diag->bundle == bundle)
		soon(bundle, 0);
}

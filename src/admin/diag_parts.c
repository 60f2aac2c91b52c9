#include "admin/diag_internal.h"

#include "base/alloc.h"
#include "base/base64.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/utsname.h>

static const struct {
	const char *what;
	const char *asked[2]; /* of the desk; none: control has it, or we */
	bool as_json;
} parts[] = {
	{ "log", { NULL }, false },
	{ "config", { "config", "export" }, false },
	{ "status", { "status", NULL }, true },
	{ "alarms", { "alarms", NULL }, true },
	{ "versions", { NULL }, false },
	{ "capture", { NULL }, false },
};

bool diag_part_is(const char *what)
{
	for (size_t i = 0; i < nitems(parts); i++) {
		if (strcmp(parts[i].what, what) == 0)
			return true;
	}
	return false;
}

bool diag_offset_read(const char *text, uint64_t *offset)
{
	size_t len = strlen(text);

	if (!len || len > 18 || strspn(text, "0123456789") != len)
		return false;
	*offset = strtoull(text, NULL, 10);
	return true;
}

json_t *diag_piece(uint64_t size, struct slice bytes)
{
	struct buffer base64 = { 0 };
	json_t *piece;
	char *text;

	base64_encode(&base64, bytes);
	text = buffer_take_text(&base64);
	piece = json_pack("{s:I, s:s}", "size", (json_int_t)size, "base64", text);
	free(text);
	return piece;
}

bool diag_piece_read(const json_t *piece, struct buffer *out, uint64_t *size)
{
	const json_t *base64 = json_object_get(piece, "base64");
	const json_t *whole = json_object_get(piece, "size");
	struct slice text = { json_string_value(base64), json_string_length(base64) };

	if (!text.data || !json_is_integer(whole) || json_integer_value(whole) < 0)
		return false;
	*size = (uint64_t)json_integer_value(whole);
	return base64_decode(out, text);
}

/* Documents: kept while they are fetched, so that the pieces fit */

static void finish_document(struct diag_document *document)
{
	free(document->author);
	free(document->what);
	buffer_finish(&document->text);
	*document = (struct diag_document){ 0 };
}

void diag_documents_finish(struct diag *diag)
{
	for (size_t i = 0; i < DIAG_DOCUMENTS; i++)
		finish_document(&diag->documents[i]);
}

static struct diag_document *find_document(struct diag *diag, const char *author, const char *what)
{
	for (size_t i = 0; i < DIAG_DOCUMENTS; i++) {
		struct diag_document *document = &diag->documents[i];

		if (document->what && strcmp(document->what, what) == 0 &&
		    strcmp(document->author, author) == 0)
			return document;
	}
	return NULL;
}

static struct diag_document *new_document(struct diag *diag, const char *author, const char *what)
{
	struct diag_document *document = find_document(diag, author, what);

	if (!document)
		document = &diag->documents[diag->next_document++ % DIAG_DOCUMENTS];
	finish_document(document);
	document->author = xstrdup(author);
	document->what = xstrdup(what);
	return document;
}

/* Who waits for the first piece of one. */
struct wanted {
	char *author;
	size_t part;
	diag_answered_fn *answered;
	uint64_t number;
};

static void answer_piece(struct diag *diag, const struct diag_document *document, uint64_t offset,
			 diag_answered_fn *answered, uint64_t number)
{
	size_t size = buffer_len(&document->text);
	struct slice bytes = { buffer_data(&document->text), size };
	json_t *data;

	bytes.data = size ? bytes.data + (offset < size ? offset : size) : "";
	bytes.len = offset < size ? size - offset : 0;
	if (bytes.len > DIAG_PIECE_BYTES)
		bytes.len = DIAG_PIECE_BYTES;
	data = diag_piece(size, bytes);
	answered(diag, number, &(struct diag_answer){ "", true, "", data });
	json_decref(data);
}

static void on_document(struct diag *diag, uint64_t number, const struct diag_answer *said)
{
	struct wanted *wanted = (struct wanted *)(uintptr_t)number;
	struct diag_document *document;
	char *json;

	if (said->done) {
		document = new_document(diag, wanted->author, parts[wanted->part].what);
		if (parts[wanted->part].as_json && said->data) {
			json = json_dumps(said->data, JSON_INDENT(2));
			buffer_append_text(&document->text, json);
			buffer_append_text(&document->text, "\n");
			free(json);
		} else {
			buffer_append_text(&document->text, said->text);
		}
		answer_piece(diag, document, 0, wanted->answered, wanted->number);
	} else {
		wanted->answered(diag, wanted->number, said);
	}
	free(wanted->author);
	free(wanted);
}

static void write_versions(struct diag *diag, struct buffer *out)
{
	struct utsname system;

	buffer_printf(out, "sallyport %s\nnode %s\n", diag->config.release, diag->node);
	buffer_printf(out, "%s\n", OpenSSL_version(OPENSSL_VERSION));
	buffer_printf(out, "jansson %s\n", jansson_version_str());
	if (uname(&system) == 0)
		buffer_printf(out, "%s %s %s\n", system.sysname, system.release, system.machine);
}

static void first_piece(struct diag *diag, const char *author, size_t part,
			diag_answered_fn *answered, uint64_t number)
{
	struct diag_document *document;
	struct wanted *wanted;

	if (!parts[part].asked[0]) {
		document = new_document(diag, author, parts[part].what);
		write_versions(diag, &document->text);
		answer_piece(diag, document, 0, answered, number);
		return;
	}
	wanted = xcalloc(1, sizeof(*wanted));
	*wanted = (struct wanted){ xstrdup(author), part, answered, number };
	diag_ask_desk(diag, author, parts[part].asked, parts[part].asked[1] ? 2 : 1, on_document,
		      (uint64_t)(uintptr_t)wanted);
}

void diag_part(struct diag *diag, const char *author, const char *what, uint64_t offset,
	       diag_answered_fn *answered, uint64_t number)
{
	const struct diag_document *document;
	size_t part = 0;
	char *place;

	if (strcmp(what, "log") == 0 || strcmp(what, "capture") == 0) {
		place = xasprintf("%" PRIu64, offset);
		diag_ask_control_piece(diag, author,
				       (const char *[]){ "diag-part", what, place, NULL }, answered,
				       number);
		free(place);
		return;
	}
	while (strcmp(parts[part].what, what) != 0) /* diag_part_is */
		part++;
	document = offset ? find_document(diag, author, what) : NULL;
	if (!offset)
		first_piece(diag, author, part, answered, number);
	else if (document)
		answer_piece(diag, document, offset, answered, number);
	else
		answered(diag, number,
			 &(struct diag_answer){ "", false, "ask for its beginning first", NULL });
}

#define XML_DTD 1 /* COMPAT: Debian's expat.h hides its limits without it */
#include "axl/soap.h"

#include "base/alloc.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>

#define NS_SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define NS_AXL "http://www.cisco.com/AXL/API/"
#define NS_SEPARATOR '\n' /* can't be in a namespace */
#define DEPTH_MAX 16	  /* of elements that mean something; ignored ones may nest twice as deep */

const char *const axl_versions[] = { "14.0", "12.5", "11.5", "9.1", NULL };

const char *axl_operation_name(enum axl_operation operation)
{
	return operation == AXL_QUERY ? "executeSQLQuery" : "executeSQLUpdate";
}

/* Where the reader is; leaves have text that counts. */
enum place {
	TOP,
	ENVELOPE,
	BODY,
	QUERY,
	UPDATE,
	SQL,
	QUERY_RESPONSE,
	UPDATE_RESPONSE,
	QUERY_RETURN,
	UPDATE_RETURN,
	ROW,
	CELL,
	UPDATED,
	FAULT,
	FAULT_STRING,
	DETAIL,
	AXL_ERROR,
	AXL_CODE,
	AXL_MESSAGE,
	IGNORED,
};

/* Which element leads where. Anything else is ignored, or refused outside of what AXL says. */
static const struct way {
	enum place from;
	const char *name; /* NULL: any */
	enum { IN_SOAP, IN_AXL, ANYWHERE } namespace;
	enum place to;
	bool is_leaf;
} ways[] = {
	{ TOP, "Envelope", IN_SOAP, ENVELOPE, false },
	{ ENVELOPE, "Header", IN_SOAP, IGNORED, false },
	{ ENVELOPE, "Body", IN_SOAP, BODY, false },
	{ BODY, "executeSQLQuery", IN_AXL, QUERY, false },
	{ BODY, "executeSQLUpdate", IN_AXL, UPDATE, false },
	{ QUERY, "sql", ANYWHERE, SQL, true },
	{ UPDATE, "sql", ANYWHERE, SQL, true },
	{ BODY, "executeSQLQueryResponse", IN_AXL, QUERY_RESPONSE, false },
	{ BODY, "executeSQLUpdateResponse", IN_AXL, UPDATE_RESPONSE, false },
	{ QUERY_RESPONSE, "return", ANYWHERE, QUERY_RETURN, false },
	{ UPDATE_RESPONSE, "return", ANYWHERE, UPDATE_RETURN, false },
	{ QUERY_RETURN, "row", ANYWHERE, ROW, false },
	{ ROW, NULL, ANYWHERE, CELL, true },
	{ UPDATE_RETURN, "rowsUpdated", ANYWHERE, UPDATED, true },
	{ BODY, "Fault", IN_SOAP, FAULT, false },
	{ FAULT, "faultstring", ANYWHERE, FAULT_STRING, true },
	{ FAULT, "detail", ANYWHERE, DETAIL, false },
	{ DETAIL, "axlError", ANYWHERE, AXL_ERROR, false }, /* COMPAT: with and without namespace */
	{ AXL_ERROR, "axlcode", ANYWHERE, AXL_CODE, true },
	{ AXL_ERROR, "axlmessage", ANYWHERE, AXL_MESSAGE, true },
};

struct cell {
	size_t row, column;
	char *text;
};

struct reader {
	XML_Parser parser;
	enum place path[DEPTH_MAX];
	size_t depth, ignored; /* elements that are open, and those of them below an ignored one */
	bool in_leaf;
	struct buffer text;
	const char *why;
	/* what was read */
	bool seen[IGNORED + 1];
	char version[SOAP_VERSION_BYTES + 1];
	char *sequence, *sql, *updated, *fault_string, *code, *message;
	char *names[SOAP_COLUMNS_MAX];
	size_t columns, column, rows;
	struct cell *cells;
	size_t cells_count, cells_size;
};

static void refuse(struct reader *reader, const char *why)
{
	if (!reader->why)
		reader->why = why;
	XML_StopParser(reader->parser, XML_FALSE);
}

static enum place place_of(const struct reader *reader)
{
	return reader->depth ? reader->path[reader->depth - 1] : TOP;
}

static bool is_in_axl(const struct reader *reader, const char *name, const char *local)
{
	size_t prefix = strlen(NS_AXL);

	return strncmp(name, NS_AXL, prefix) == 0 && local > name &&
	       (size_t)(local - 1 - name) > prefix;
}

static const struct way *find_way(const struct reader *reader, const char *name, const char *local)
{
	for (size_t i = 0; i < nitems(ways); i++) {
		const struct way *way = &ways[i];

		if (way->from != place_of(reader) || (way->name && strcmp(way->name, local) != 0))
			continue;
		if (way->namespace == IN_SOAP && (strncmp(name, NS_SOAP, strlen(NS_SOAP)) != 0 ||
						  name + strlen(NS_SOAP) + 1 != local))
			continue;
		if (way->namespace == IN_AXL && !is_in_axl(reader, name, local))
			continue;
		return way;
	}
	return NULL;
}

static const char *not_expected(enum place place)
{
	return place == TOP	   ? "not a SOAP 1.1 envelope"
	       : place == ENVELOPE ? "an element in the envelope that is neither Header nor Body"
				   : "an operation that is neither executeSQLQuery nor "
				     "executeSQLUpdate in an AXL namespace";
}

/* Of the operation's element: its version and sequence. */
static void read_operation(struct reader *reader, const char *name, const char *local,
			   const char **attributes)
{
	size_t len = (size_t)(local - 1 - name) - strlen(NS_AXL);

	if (reader->seen[QUERY] || reader->seen[UPDATE] || reader->seen[QUERY_RESPONSE] ||
	    reader->seen[UPDATE_RESPONSE] || reader->seen[FAULT]) {
		refuse(reader, "more than one operation");
		return;
	}
	if (len > SOAP_VERSION_BYTES)
		len = SOAP_VERSION_BYTES;
	memcpy(reader->version, name + strlen(NS_AXL), len);
	for (size_t i = 0; attributes[i]; i += 2) {
		if (strcmp(attributes[i], "sequence") == 0 && !reader->sequence)
			reader->sequence = xstrdup(attributes[i + 1]);
	}
}

/* Which column the element in a row is; new names make new ones. */
static void read_column(struct reader *reader, const char *local)
{
	for (reader->column = 0; reader->column < reader->columns; reader->column++) {
		if (strcmp(reader->names[reader->column], local) == 0)
			return;
	}
	if (reader->columns == SOAP_COLUMNS_MAX)
		refuse(reader, "too many columns");
	else
		reader->names[reader->columns++] = xstrdup(local);
}

static void enter(struct reader *reader, const struct way *way)
{
	if (reader->depth == DEPTH_MAX) {
		refuse(reader, "nested too deeply");
		return;
	}
	reader->path[reader->depth++] = way->to;
	reader->in_leaf = way->is_leaf;
	if (way->to == IGNORED)
		reader->ignored = 1;
	if (way->to == ROW && reader->rows++ == SOAP_ROWS_MAX)
		refuse(reader, "too many rows");
}

static void on_start(void *arg, const char *name, const char **attributes)
{
	static const struct way ignore = { .to = IGNORED };
	struct reader *reader = arg;
	const char *separator = strrchr(name, NS_SEPARATOR);
	const char *local = separator ? separator + 1 : name;
	const struct way *way;

	if (reader->ignored) {
		if (++reader->ignored > 2 * DEPTH_MAX)
			refuse(reader, "nested too deeply");
		return;
	}
	if (reader->in_leaf) {
		refuse(reader, "an element where there should be text");
		return;
	}
	way = find_way(reader, name, local);
	if (!way && place_of(reader) <= BODY) {
		refuse(reader, not_expected(place_of(reader)));
		return;
	}
	if (way && way->from == BODY && way->namespace == IN_AXL)
		read_operation(reader, name, local, attributes);
	if (way && way->to == CELL)
		read_column(reader, local);
	enter(reader, way ? way : &ignore);
}

static void add_cell(struct reader *reader, char *text)
{
	if (reader->cells_count == reader->cells_size) {
		reader->cells_size = reader->cells_size ? 2 * reader->cells_size : 64;
		reader->cells = xrealloc(reader->cells, reader->cells_size * sizeof(struct cell));
	}
	reader->cells[reader->cells_count++] =
		(struct cell){ reader->rows - 1, reader->column, text };
}

static void keep(struct reader *reader, char **place, char *text)
{
	if (*place) {
		free(text);
		refuse(reader, "an element that is there twice");
	} else {
		*place = text;
	}
}

static void take_text(struct reader *reader)
{
	char *text = buffer_take_text(&reader->text);

	switch (place_of(reader)) {
	case SQL:
		keep(reader, &reader->sql, text);
		break;
	case UPDATED:
		keep(reader, &reader->updated, text);
		break;
	case FAULT_STRING:
		keep(reader, &reader->fault_string, text);
		break;
	case AXL_CODE:
		keep(reader, &reader->code, text);
		break;
	case AXL_MESSAGE:
		keep(reader, &reader->message, text);
		break;
	default:
		add_cell(reader, text);
	}
}

static void on_end(void *arg, const char *name)
{
	struct reader *reader = arg;

	if (reader->ignored > 1) {
		reader->ignored--;
		return;
	}
	reader->ignored = 0;
	if (reader->in_leaf)
		take_text(reader);
	reader->in_leaf = false;
	reader->seen[place_of(reader)] = true;
	reader->depth--;
}

static void on_text(void *arg, const char *text, int len)
{
	struct reader *reader = arg;

	if (reader->in_leaf)
		buffer_append(&reader->text, text, (size_t)len);
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public,
		       int has_subset)
{
	refuse(arg, "a document type declaration, which SOAP does not allow");
}

static void on_instruction(void *arg, const char *target, const char *data)
{
	refuse(arg, "a processing instruction, which SOAP does not allow");
}

static bool read_all(struct reader *reader, struct slice body)
{
	enum XML_Status status;

	*reader = (struct reader){ 0 };
	if (body.len > SOAP_BYTES) {
		reader->why = "longer than 4 MiB";
		return false;
	}
	reader->parser = XML_ParserCreateNS(NULL, NS_SEPARATOR);
	if (!reader->parser)
		abort();
	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
	XML_SetProcessingInstructionHandler(reader->parser, on_instruction);
	status = XML_Parse(reader->parser, body.data ? body.data : "", (int)body.len, 1);
	if (status != XML_STATUS_OK && !reader->why)
		reader->why = XML_ErrorString(XML_GetErrorCode(reader->parser));
	XML_ParserFree(reader->parser);
	return !reader->why;
}

static void finish(struct reader *reader)
{
	for (size_t i = 0; i < reader->columns; i++)
		free(reader->names[i]);
	for (size_t i = 0; i < reader->cells_count; i++)
		free(reader->cells[i].text);
	free(reader->cells);
	free(reader->sequence);
	free(reader->sql);
	free(reader->updated);
	free(reader->fault_string);
	free(reader->code);
	free(reader->message);
	buffer_finish(&reader->text);
}

/* xsd:unsignedLong, with the white space that it may have around it. */
static bool read_unsigned(const char *text, uint64_t *number)
{
	size_t start = strspn(text, " \t\r\n"), len = strspn(text + start, "0123456789");

	if (!len || text[start + len + strspn(text + start + len, " \t\r\n")])
		return false;
	errno = 0;
	*number = strtoull(text + start, NULL, 10);
	return errno == 0;
}

/* Requests */

static const char *take_request(struct reader *reader, struct axl_request *request)
{
	if (!reader->seen[QUERY] && !reader->seen[UPDATE])
		return "there is no operation in the body";
	if (!reader->sql)
		return "the operation has no sql";
	if (reader->sequence && !read_unsigned(reader->sequence, &request->sequence))
		return "sequence is not a number";
	request->operation = reader->seen[QUERY] ? AXL_QUERY : AXL_UPDATE;
	request->has_sequence = reader->sequence != NULL;
	request->sql = reader->sql;
	reader->sql = NULL;
	return NULL;
}

bool axl_request_read(struct slice body, struct axl_request *request, const char **why)
{
	struct reader reader;

	*request = (struct axl_request){ 0 };
	*why = read_all(&reader, body) ? take_request(&reader, request) : reader.why;
	memcpy(request->version, reader.version, sizeof(request->version));
	finish(&reader);
	return !*why;
}

static void write_xml(struct buffer *out, const char *text)
{
	buffer_append_xml(out, slice_of(text));
}

static void begin(struct buffer *out)
{
	buffer_append_text(out, "<soapenv:Envelope xmlns:soapenv=\"" NS_SOAP "\"");
}

static void write_sequence(struct buffer *out, const struct axl_request *request)
{
	if (request->has_sequence)
		buffer_printf(out, " sequence=\"%llu\"", (unsigned long long)request->sequence);
}

void axl_request_write(struct buffer *out, const struct axl_request *request)
{
	const char *operation = axl_operation_name(request->operation);

	begin(out);
	buffer_printf(out, " xmlns:ns=\"" NS_AXL "%s\"><soapenv:Header/><soapenv:Body><ns:%s",
		      request->version, operation);
	write_sequence(out, request);
	buffer_append_text(out, "><sql>");
	write_xml(out, request->sql);
	buffer_printf(out, "</sql></ns:%s></soapenv:Body></soapenv:Envelope>", operation);
}

void axl_request_finish(struct axl_request *request)
{
	free(request->sql);
	*request = (struct axl_request){ 0 };
}

/* Responses */

static void take_rows(struct reader *reader, struct axl_rows *rows)
{
	size_t columns = reader->columns;

	*rows = (struct axl_rows){ .columns = columns, .count = reader->rows };
	rows->names = xcalloc(columns ? columns : 1, sizeof(char *));
	rows->cells = xcalloc(columns && reader->rows ? columns * reader->rows : 1, sizeof(char *));
	memcpy(rows->names, reader->names, columns * sizeof(char *));
	reader->columns = 0;
	for (size_t i = 0; i < reader->cells_count; i++) {
		struct cell *cell = &reader->cells[i];
		char **place = &rows->cells[cell->row * columns + cell->column];

		free(*place);
		*place = cell->text;
	}
	reader->cells_count = 0;
}

static void take_fault(struct reader *reader, struct axl_fault *fault)
{
	char **message = reader->message ? &reader->message : &reader->fault_string;

	fault->code = reader->code ? (int)strtol(reader->code, NULL, 10) : 0;
	fault->message = *message ? *message : xstrdup("");
	*message = NULL;
}

static const char *take_response(struct reader *reader, struct axl_response *response)
{
	response->is_fault = reader->seen[FAULT];
	response->operation = reader->seen[UPDATE_RESPONSE] ? AXL_UPDATE : AXL_QUERY;
	if (reader->seen[FAULT]) {
		take_fault(reader, &response->fault);
	} else if (reader->seen[QUERY_RESPONSE]) {
		if (!reader->seen[QUERY_RETURN])
			return "the response has no return";
		take_rows(reader, &response->rows);
	} else if (reader->seen[UPDATE_RESPONSE]) {
		if (!reader->updated || !read_unsigned(reader->updated, &response->rows_updated))
			return "the response does not say how many rows were updated";
	} else {
		return "neither a response nor a fault";
	}
	return NULL;
}

bool axl_response_read(struct slice body, struct axl_response *response, const char **why)
{
	struct reader reader;

	*response = (struct axl_response){ 0 };
	*why = read_all(&reader, body) ? take_response(&reader, response) : reader.why;
	finish(&reader);
	return !*why;
}

void axl_rows_finish(struct axl_rows *rows)
{
	for (size_t i = 0; i < rows->columns; i++)
		free(rows->names[i]);
	for (size_t i = 0; i < rows->columns * rows->count; i++)
		free(rows->cells[i]);
	free(rows->names);
	free(rows->cells);
	*rows = (struct axl_rows){ 0 };
}

void axl_response_finish(struct axl_response *response)
{
	axl_rows_finish(&response->rows);
	free(response->fault.message);
	*response = (struct axl_response){ 0 };
}

static void open_response(struct buffer *out, const struct axl_request *request)
{
	begin(out);
	buffer_printf(out, "><soapenv:Body><ns:%sResponse xmlns:ns=\"" NS_AXL "%s\"",
		      axl_operation_name(request->operation), request->version);
	write_sequence(out, request);
	buffer_append_text(out, "><return>");
}

static void close_response(struct buffer *out, const struct axl_request *request)
{
	buffer_printf(out, "</return></ns:%sResponse></soapenv:Body></soapenv:Envelope>",
		      axl_operation_name(request->operation));
}

/* What SQL calls a column may be no name of an element: count(*). */
static char *element_name(const char *column)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	char *name = xstrdup(*column ? column : "_");

	for (char *c = name; *c; c++) {
		if (!strchr(letters, *c) && (c == name || !strchr("0123456789-.", *c)))
			*c = '_';
	}
	return name;
}

void axl_write_rows(struct buffer *out, const struct axl_request *request,
		    const struct axl_rows *rows)
{
	open_response(out, request);
	for (size_t r = 0; r < rows->count; r++) {
		buffer_append_text(out, "<row>");
		for (size_t c = 0; c < rows->columns; c++) {
			const char *cell = rows->cells[r * rows->columns + c];
			char *name = element_name(rows->names[c]);

			buffer_printf(out, "<%s>", name);
			write_xml(out, cell ? cell : "");
			buffer_printf(out, "</%s>", name);
			free(name);
		}
		buffer_append_text(out, "</row>");
	}
	close_response(out, request);
}

void axl_write_updated(struct buffer *out, const struct axl_request *request, uint64_t count)
{
	open_response(out, request);
	buffer_printf(out, "<rowsUpdated>%llu</rowsUpdated>", (unsigned long long)count);
	close_response(out, request);
}

void axl_write_fault(struct buffer *out, bool clients, const struct axl_fault *fault,
		     const char *operation)
{
	begin(out);
	buffer_printf(out,
		      "><soapenv:Body><soapenv:Fault><faultcode>soapenv:%s</faultcode>"
		      "<faultstring>",
		      clients ? "Client" : "Server");
	write_xml(out, fault->message);
	buffer_printf(out, "</faultstring><detail><axlError><axlcode>%d</axlcode><axlmessage>",
		      fault->code);
	write_xml(out, fault->message);
	buffer_append_text(out, "</axlmessage>");
	if (operation)
		buffer_printf(out, "<request>%s</request>", operation);
	buffer_append_text(out, "</axlError></detail></soapenv:Fault></soapenv:Body>"
				"</soapenv:Envelope>");
}

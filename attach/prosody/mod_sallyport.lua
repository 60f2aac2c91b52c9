-- Sends everything for remote domains through a Sallyport gateway, which is attached as an external
-- component, and keeps each stanza until the gateway has settled it: whichever of the two is
-- restarted, nothing is lost in silence and nothing is delivered twice.
--
-- The protocol (urn:sallyport:attach:1) is described in docs/protocols.md, the configuration in
-- README.md. For Prosody 0.12.

module:set_global();

local modulemanager = require "core.modulemanager";
local st = require "util.stanza";
local hex = require "util.hex";
local jid_host = require "util.jid".host;
local now = require "util.time".now;
local random_bytes = require "util.random".bytes;

local prosody, hosts = prosody, prosody.hosts;
local xmlns_attach = "urn:sallyport:attach:1";
local xmlns_component = "jabber:component:accept";
local stanza_kinds = { message = true, presence = true, iq = true };

local limits = {
	stanzas = math.min(module:get_option_number("sallyport_queue_stanzas", 10000), 16000); -- what the gateway can name
	bytes = module:get_option_number("sallyport_queue_bytes", 16 * 1024 * 1024);
	seconds = module:get_option_number("sallyport_queue_seconds", 30); -- without a gateway
	stanza_bytes = module:get_option_number("sallyport_stanza_bytes", 512 * 1024);
	status_seconds = 1; -- between two looks at whether we federate
};

-- What the gateway's reader takes, and a little less: a stanza beyond would end the stream, and
-- again each time it is sent.
local max_depth, max_elements, max_attributes, max_name = 64, 20000, 64, 1024;

-- By the component's name. A gateway is
--   instance     ours towards it, new at each start of Prosody
--   kept         number -> what was sent or waits, from `first` to `last`, with gaps
--   count, bytes of these
--   stream, raw  the authenticated session and what writes to it unnumbered
--   greeted      whether the gateway's hello has come: stanzas may be sent
--   next         the number that the gateway will give to the next stanza it reads
--   peer, had    the gateway's instance and the last number taken from it
--   gone         since when there is no gateway
--   s2s          what it was told last of whether we federate past it
local gateways = {};

local function new_gateway(name)
	return {
		name = name, instance = hex.to(random_bytes(16)), kept = {}, first = 1, last = 0,
		count = 0, bytes = 0, had = 0, gone = now(),
	};
end

--- Stanzas that cannot be sent

-- Addresses, id and type are enough to make the error, so that no second copy is kept.
local function bounce(from_host, top, kind, condition, text)
	if top.attr.type == "error" or top.attr.type == "result" then
		module:log("warn", "Dropped %s from %s to %s: %s", top.attr.type, top.attr.from,
			top.attr.to, text);
		return;
	end
	if not hosts[from_host] then return; end -- the host has been removed meanwhile
	-- From the main loop: what an error sets off (a room that removes its occupant and tells the
	-- others) may come back here.
	module:add_timer(0, function ()
		prosody.core_post_stanza(hosts[from_host],
			st.error_reply(top, kind, condition, text, from_host));
	end);
end

local function forget(gateway, n)
	local entry = gateway.kept[n];
	gateway.kept[n] = nil;
	gateway.count = gateway.count - 1;
	gateway.bytes = gateway.bytes - #entry.text;
	while gateway.first <= gateway.last and not gateway.kept[gateway.first] do
		gateway.first = gateway.first + 1;
	end
end

local function bounce_expired(gateway)
	if gateway.greeted then return; end
	local due = now() - limits.seconds;
	for n = gateway.first, gateway.last do
		local entry = gateway.kept[n];
		if entry then
			if math.max(entry.time, gateway.gone) > due then break; end
			forget(gateway, n);
			bounce(entry.from_host, entry.top, "wait", "remote-server-timeout", entry.sent
				and "The gateway went away; the stanza may have been delivered"
				or "The gateway to other domains is not connected");
		end
	end
	return gateway.count > 0;
end

local function watch(gateway)
	if gateway.watched then return; end
	gateway.watched = true;
	module:add_timer(1, function ()
		gateway.watched = bounce_expired(gateway) or nil;
		return gateway.watched and 1;
	end);
end

--- Stanzas to the gateway

local function write(gateway, n, entry)
	if gateway.next ~= n then
		gateway.raw(st.stanza("next", { xmlns = xmlns_attach, n = ("%d"):format(n) }));
	end
	gateway.raw(entry.text);
	gateway.next = n + 1;
	entry.sent = true;
end

-- How many elements there are, or nil when the gateway's reader would not take them.
local function count_elements(element, depth)
	local attributes, count = 0, 1;
	for name in pairs(element.attr) do
		attributes = attributes + 1;
		if #name > max_name then return; end
	end
	if depth > max_depth or attributes > max_attributes or #element.name > max_name then return; end
	for _, child in ipairs(element.tags) do
		local inside = count_elements(child, depth + 1);
		if not inside or count + inside > max_elements then return; end
		count = count + inside;
	end
	return count;
end

local function refuse(stanza, kind, condition, text)
	bounce(jid_host(stanza.attr.from), st.clone(stanza, true), kind, condition, text);
end

local function send(gateway, stanza)
	stanza.attr.xmlns = nil; -- inherited, as everywhere in Prosody
	local text = count_elements(stanza, 1) and tostring(stanza);
	if not text or #text > limits.stanza_bytes then
		return refuse(stanza, "modify", "policy-violation", "The stanza is too large");
	end
	if gateway.count >= limits.stanzas or gateway.bytes + #text > limits.bytes then
		return refuse(stanza, "wait", "resource-constraint", "Too much waits for the gateway");
	end
	local n = gateway.last + 1;
	local entry = {
		text = text, top = st.clone(stanza, true), from_host = jid_host(stanza.attr.from),
		time = now(),
	};
	gateway.kept[n], gateway.last = entry, n;
	gateway.count, gateway.bytes = gateway.count + 1, gateway.bytes + #text;
	if gateway.greeted then
		write(gateway, n, entry);
	else
		watch(gateway);
	end
end

-- Answers to what came from the gateway go back through its session, past all routing. Those to
-- remote domains are kept and numbered like any other; those to the component itself are not.
local function answer(gateway, data)
	if st.is_stanza(data) and stanza_kinds[data.name] and jid_host(data.attr.to) ~= gateway.name then
		send(gateway, data);
	elseif gateway.raw then
		gateway.raw(data);
	end
	return true;
end

--- What the gateway says

local function ranges(text)
	local next_range = (text or ""):gmatch("(%d+)%-?(%d*)");
	return function ()
		local first, last = next_range();
		if first then return tonumber(first), tonumber(last) or tonumber(first); end
	end
end

local function settle(gateway, text)
	for first, last in ranges(text) do
		for n = math.max(first, gateway.first), math.min(last, gateway.last) do
			if gateway.kept[n] then forget(gateway, n); end
		end
	end
end

local function federates()
	for _, host in pairs(hosts) do
		if host.modules and host.modules.s2s then return "yes"; end
	end
	return "no";
end

-- Modules come and go host by host, and only that host's events say so.
local function tell_changes()
	local s2s = federates();
	for _, gateway in pairs(gateways) do
		if gateway.raw and gateway.s2s ~= s2s then
			gateway.s2s = s2s;
			gateway.raw(st.stanza("status", { xmlns = xmlns_attach, s2s = s2s }));
		end
	end
	return limits.status_seconds;
end

local function authenticated(gateway, session)
	local raw = session.send;
	gateway.stream, gateway.raw, gateway.greeted, gateway.next = session, raw, nil, nil;
	gateway.s2s = federates();
	session.send = function (data) return answer(gateway, data); end
	raw(st.stanza("hello", {
		xmlns = xmlns_attach, instance = gateway.instance, peer = gateway.peer,
		had = gateway.peer and ("%d"):format(gateway.had), s2s = gateway.s2s,
	}));
end

local function disconnected(gateway, session)
	if gateway.stream ~= session then return; end
	gateway.stream, gateway.raw, gateway.greeted, gateway.gone = nil, nil, nil, now();
	if gateway.count > 0 then watch(gateway); end
end

local function refuse_stream(session, text)
	module:log("error", "The gateway %s", text);
	session:close({ condition = "policy-violation", text = text });
end

local handlers = {};

-- What the gateway has had and does not name as open has been settled, though we may not have
-- heard so; what it has not had is sent, again or for the first time, under its number.
function handlers.hello(gateway, session, element)
	local had = tonumber(element.attr.had);
	if gateway.greeted or not element.attr.instance or not had or had > gateway.last then
		return refuse_stream(session, "sent a hello that makes no sense");
	end
	local open = {};
	for first, last in ranges(element.attr.open) do
		for n = math.max(first, gateway.first), math.min(last, gateway.last) do open[n] = true; end
	end
	if element.attr.instance ~= gateway.peer then
		gateway.peer, gateway.had = element.attr.instance, 0;
	end
	gateway.greeted = true;
	for n = gateway.first, gateway.last do
		local entry = gateway.kept[n];
		if entry and n > had then
			write(gateway, n, entry);
		elseif entry and not open[n] then
			forget(gateway, n);
		end
	end
end

function handlers.settled(gateway, _, element)
	settle(gateway, element.attr.n);
end

function handlers.r(gateway)
	gateway.raw(st.stanza("had", { xmlns = xmlns_attach, n = ("%d"):format(gateway.had) }));
end

-- On the stream itself content has no namespace in Prosody; inside a wrapper its parser names it.
local function make_native(element)
	element.attr.xmlns = nil;
	for _, child in ipairs(element.tags) do
		if child.attr.xmlns == xmlns_component then make_native(child); end
	end
end

function handlers.s(gateway, session, element)
	local n, stanza = tonumber(element.attr.n), element.tags[1];
	if not n or #element.tags ~= 1 or stanza.attr.xmlns ~= xmlns_component
		or not stanza_kinds[stanza.name] then
		return refuse_stream(session, "sent a malformed stanza");
	end
	if n <= gateway.had then return; end -- a repeat
	gateway.had = n;
	make_native(stanza);
	-- Our own `send` outlives the session: a handler may answer when that is long gone.
	session.dispatch_stanza(setmetatable({
		send = function (data) return answer(gateway, data); end;
	}, { __index = session }), stanza);
end

local function handle(gateway, name, event)
	local session = event.origin;
	if session.type ~= "component" or session ~= gateway.stream then return; end
	if name ~= "hello" and not gateway.greeted then
		refuse_stream(session, "did not begin with a hello");
	else
		handlers[name](gateway, session, event.stanza);
	end
	return true;
end

--- Hosts

local function add_component(host_module, gateway)
	for name in pairs(handlers) do
		host_module:hook("stanza/" .. xmlns_attach .. ":" .. name, function (event)
			return handle(gateway, name, event);
		end);
	end
	host_module:hook("component-authenticated", function (event)
		authenticated(gateway, event.session);
	end);
	host_module:hook("component-disconnected", function (event)
		disconnected(gateway, event.session);
	end);
	-- One that connected before we were loaded has not heard our hello.
	local component = hosts[host_module.host].modules.component;
	local session = component and component.session;
	if session and session ~= gateway.stream then
		session:close({ condition = "reset", text = "mod_sallyport has been loaded" });
	end
end

function module.add_host(host_module)
	local name = host_module:get_option_string("sallyport_component");
	if not name then
		host_module:log("error", "sallyport_component is not set");
		return false;
	end
	gateways[name] = gateways[name] or new_gateway(name);
	local gateway = gateways[name];
	if host_module.host == name then
		add_component(host_module, gateway);
		return;
	end
	-- mod_s2s has its handlers at -1 and below
	host_module:hook("route/remote", function (event)
		if not stanza_kinds[event.stanza.name] then return; end
		send(gateway, event.stanza);
		return true;
	end, 10);
end

-- Prosody gives modules in the global list to virtual hosts only. What is meant for all hosts must
-- be on rooms too, or what they send would find no way out; and on the component in any case.
local function spread()
	local for_all = module:get_option_set("modules_enabled", {}):contains("sallyport");
	for name in pairs(hosts) do
		local host = module:context(name);
		local meant = for_all and not host:get_option_set("modules_disabled", {}):contains("sallyport");
		if (meant or gateways[name]) and not hosts[name].modules.sallyport then
			modulemanager.load(name, "sallyport");
		end
	end
end

module:hook_global("hosts-activated", spread);
module:hook_global("host-activated", function () module:add_timer(0, spread); end);

function module.load()
	local size = module:get_option_number("component_stanza_size_limit",
		module:get_option_number("s2s_stanza_size_limit", 512 * 1024));
	if size < 4 * 1024 * 1024 then
		module:log("warn", "component_stanza_size_limit should be at least 4 MiB, or one large "
			.. "stanza from outside may interrupt the attachment");
	end
	module:add_timer(0, spread);
	module:add_timer(limits.status_seconds, tell_changes);
end

function module.save()
	return { gateways = gateways };
end

function module.restore(saved)
	gateways = saved.gateways;
	for _, gateway in pairs(gateways) do
		gateway.watched = nil; -- its timer went with the old code
		if gateway.count > 0 and not gateway.greeted then watch(gateway); end
	end
end

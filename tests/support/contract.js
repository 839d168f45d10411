// Names and wordings that only the server can decide on, in one place.

export const METRICS = {
  connections: /^roomcast_connections(_open|_current|_active)?$/,
  rooms: /^roomcast_rooms(_open|_current|_active)?$/,
  messagesIn: /^roomcast_messages_(in|received|published)_total$/,
  deliveries: /^roomcast_(deliveries|messages_delivered|messages_out|messages_sent)_total$/,
  closes: /^roomcast_(closes|connections_closed|websocket_closes|connection_ends)_total$/,
  queueBytes: /^roomcast_queue(d)?_bytes$/,
  handshakes: /^roomcast_tls_handshakes_total$/,
};

export const LOG = {
  connectionEnd: /connection (?:closed|ended)|client (?:left|closed|gone)/i,
  originRefused: /origin/i,
  descriptors: /descriptor|EMFILE|too many open files/i,
  reloaded: /reload/i,
  needsRestart: /restart/i,
};

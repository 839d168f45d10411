// Names and texts that are chosen by the server, in one place.

export const METRICS = {
  connections: 'roomcast_connections',
  rooms: 'roomcast_rooms',
  remembered: 'roomcast_rooms_remembered',
  replayed: 'roomcast_messages_replayed_total',
  gaps: 'roomcast_gaps_total',
  published: 'roomcast_messages_published_total',
  received: 'roomcast_messages_received_total',
  deliveries: 'roomcast_deliveries_total',
  closes: 'roomcast_sessions_closed_total',
  queueBytes: 'roomcast_queued_bytes',
  memory: 'roomcast_memory_bytes',
  handshakes: 'roomcast_tls_handshakes_total',
};

export const LOG = {
  connectionEnd: /connection (?:closed|ended)|client (?:left|closed|gone)/i,
  originRefused: /origin/i,
  descriptors: /descriptor|EMFILE|too many open files/i,
  reloaded: /reload/i,
  needsRestart: /restart/i,
};

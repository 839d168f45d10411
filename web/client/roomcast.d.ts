// Types of roomcast.js. Semantics: see there and docs/client.md.

export type Transport = 'websocket' | 'sse' | 'poll';

export type State =
  | { name: 'idle' | 'connecting' }
  | { name: 'live'; transport: Transport }
  | { name: 'waiting'; retryAt: number; reason: string }
  | { name: 'offline'; reason?: string }
  | { name: 'closed'; reason: string; code?: string };

export interface Options {
  name?: string;
  /** Asked before each connection, and when the server wants another token. */
  token?: () => Promise<string | { token: string } | null> | string | { token: string } | null;
  transports?: Transport[];
  maxPending?: number;
  maxPendingBytes?: number;
  publishTimeoutMs?: number;
  /** The class of the `ws` package, for instance. */
  WebSocket?: new (url: string, protocols?: string[]) => any;
  fetch?: typeof fetch;
  timing?: Partial<Timing>;
}

export interface Timing {
  connectMs: number;
  doubtMs: number;
  requestMs: number;
  receiptMs: number;
  pongMs: number;
  wakePongMs: number;
  lookMs: number;
  silenceMs: number;
  wakeMs: number;
  pollWaitSeconds: number;
  presenceMs: number;
  stableMs: number;
  climbMs: number;
  climbCapMs: number;
  closeMs: number;
}

export interface RoomOptions {
  since?: string;
  history?: number;
  presence?: boolean;
}

interface MessageBase {
  room: string;
  cursor: string;
  /** Milliseconds since the epoch. */
  time: number;
  from: string | null;
  /** The id of the user whom the server has identified as the sender. */
  user?: string;
  /** The name of the API key that it was published with. */
  key?: string;
  /** The event name that its publisher gave it, if any. */
  event?: string;
  /** What its publisher says of it besides, if anything. */
  tags?: Record<string, string>;
}

export type Message =
  | (MessageBase & { kind: 'text'; data: string })
  | (MessageBase & { kind: 'json'; data: any })
  | (MessageBase & { kind: 'binary'; data: Uint8Array });

export interface Member {
  name: string;
  /** The id of a user whom the server has identified: all of the user's devices are one member. */
  user?: string;
  /** The name of the API key of the member. */
  key?: string;
}

export interface Presence {
  room: string;
  count: number;
  anonymous: number;
  /** Too many members to be named: `members` is empty. */
  crowd: boolean;
  members: Member[];
}

export interface Receipt {
  room: string;
  cursor: string;
  subscribers: number;
  duplicate: boolean;
  /** The message is on the server's disk, and survives a power cut. */
  durable: boolean;
}

export interface RoomEvents {
  message: Message;
  gap: { room: string; cursor: string; earliest: string };
  /** The message with this cursor is to be shown no longer. */
  deleted: { room: string; cursor: string };
  /** To be shown in place of the message with its cursor. */
  replaced: Message;
  /** All messages up to this cursor are to be shown no longer. */
  cleared: { room: string; cursor: string };
  joined: { room: string; cursor: string | undefined };
  presence: Presence;
  join: { room: string; member: Member };
  leave: { room: string; member: Member };
  error: RoomcastError;
  closed: { room: string; error: RoomcastError | undefined };
}

export type Unlisten = () => void;

export interface Room {
  readonly name: string;
  readonly cursor: string | undefined;
  readonly closed: boolean;
  readonly members: Member[];
  readonly count: number;
  readonly anonymous: number;
  readonly crowd: boolean;
  on<E extends keyof RoomEvents>(event: E, listener: (detail: RoomEvents[E]) => void): Unlisten;
  off<E extends keyof RoomEvents>(event: E, listener: (detail: RoomEvents[E]) => void): void;
  /** A string is text; bytes and Blobs are binary; everything else travels as JSON. */
  publish(data: unknown, options?: { key?: string }): Promise<Receipt>;
  fetchPresence(): Promise<{ room: string; count: number; anonymous?: number; members?: Member[] }>;
  close(): void;
}

export interface Client {
  readonly state: State;
  /** The server's limits.message_bytes, over a WebSocket that is up. */
  readonly messageBytes: number | undefined;
  on(event: 'state', listener: (state: State) => void): Unlisten;
  off(event: 'state', listener: (state: State) => void): void;
  room(name: string, options?: RoomOptions): Room;
  publish(room: string, data: unknown, options?: { key?: string }): Promise<Receipt>;
  retry(): void;
  close(): void;
}

export class RoomcastError extends Error {
  readonly code: string;
  /** For a publish without a receipt: it was sent, so it may have been published. */
  readonly maybePublished?: boolean;
  /** Status of an HTTP response. */
  readonly status?: number;
}

export function connect(url: string | URL, options?: Options): Client;
export function connect(options?: Options): Client;

import createClient from "openapi-fetch";

import { toLogin } from "./door";
import type { paths } from "./openapi";
import type {
  Feedback,
  JobStatus,
  Message,
  NewKey,
  NewSummary,
  NewTemplate,
  NewVideos,
  OwnQuotas,
  SummaryStyle,
} from "./types";

/** What went wrong, in the API's words; `status` 0 means that no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    readonly detail: string,
    /** In how many seconds the same may be tried again, where the server says. */
    readonly retryAfterS: number | null = null,
  ) {
    super(detail);
  }
}

const AWAY = "The server does not answer. Check that it runs and that you are online, then retry.";

const unreachable = () => new ApiError(0, "unreachable", AWAY);

const client = createClient<paths>();
client.use({
  onError: unreachable,
  // Nobody is logged in, or not any more: every page but the door leads to the door.
  onResponse: ({ response, schemaPath }) => {
    if (response.status === 401 && !schemaPath.startsWith("/api/auth/")) toLogin();
  },
});

/** What broke off in its middle did not come either. */
function readable(error: unknown): never {
  throw error instanceof ApiError ? error : unreachable();
}

/** The body of a good answer; anything else is thrown as an ApiError. */
async function body<T>(
  sent: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<NonNullable<T>> {
  const { data, error, response } = await sent.catch(readable);
  if (response.ok) return data as NonNullable<T>;
  const said = (typeof error === "object" && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  throw new ApiError(
    response.status,
    typeof said["error"] === "string" ? said["error"] : "unexpected",
    typeof said["detail"] === "string"
      ? said["detail"]
      : `The server answered ${response.status} without saying why.`,
    Number(response.headers.get("retry-after")) || null,
  );
}

const abortable = (signal?: AbortSignal) => (signal ? { signal } : {});

const page = { query: { limit: 500 } };

const video = (video_id: string) => ({ params: { path: { video_id } } });
const conversation = (conversation_id: string) => ({ params: { path: { conversation_id } } });

const collection = (collection_id: string) => ({ params: { path: { collection_id } } });

/** Which videos of the library, and in which order; what is left out narrows nothing. */
export type VideoQuery = NonNullable<paths["/api/videos"]["get"]["parameters"]["query"]>;

export const listVideos = (query: VideoQuery, signal?: AbortSignal) =>
  body(client.GET("/api/videos", { params: { query }, ...abortable(signal) }));

/** What to add and how; `generate` and `subscribe` are off where they are not said. */
export type Order = Partial<NewVideos>;

const wishes = (order: Order) => ({ generate: false, subscribe: false, ...order });

export const addVideos = (order: Order) =>
  body(client.POST("/api/videos", { body: wishes(order) }));

export const priceVideos = (order: Order, signal?: AbortSignal) =>
  body(client.POST("/api/videos/price", { body: wishes(order), ...abortable(signal) }));

/** What a person can say of a caption file that names nothing itself; empty means unsaid. */
export interface FileDetails {
  title?: string;
  url?: string;
}

export function uploadTranscript(file: File, details: FileDetails = {}) {
  const form = new FormData();
  form.append("file", file);
  for (const [name, value] of Object.entries(details)) if (value) form.append(name, value);
  // OpenAPI has no type for a file's bytes: the body named here is only for the compiler.
  const sent = { body: { file: file.name }, bodySerializer: () => form };
  return body(client.POST("/api/videos/upload", sent));
}

export const addSample = () => body(client.POST("/api/videos/sample"));

export const readVideo = (id: string) => body(client.GET("/api/videos/{video_id}", video(id)));

export const deleteVideo = (id: string) => body(client.DELETE("/api/videos/{video_id}", video(id)));

export const readTranscript = (video_id: string, language?: string) =>
  body(
    client.GET("/api/videos/{video_id}/transcript", {
      params: { path: { video_id }, query: language ? { language } : {} },
    }),
  );

export const readSummary = (video_id: string, style: SummaryStyle) =>
  body(
    client.GET("/api/videos/{video_id}/summary", {
      params: { path: { video_id }, query: { style } },
    }),
  );

export const listTemplates = () => body(client.GET("/api/templates", { params: page }));

export const createTemplate = (template: NewTemplate) =>
  body(client.POST("/api/templates", { body: template }));

export const changeTemplate = (template_id: string, template: NewTemplate) =>
  body(
    client.PATCH("/api/templates/{template_id}", {
      params: { path: { template_id } },
      body: template,
    }),
  );

export const deleteTemplate = (template_id: string) =>
  body(client.DELETE("/api/templates/{template_id}", { params: { path: { template_id } } }));

export const readUsage = () => body(client.GET("/api/usage"));

/** Have a summary written; what is said of it meanwhile, as server-sent events. */
export const makeSummary = (video_id: string, summary: NewSummary) =>
  body(
    client.POST("/api/videos/{video_id}/summary", {
      ...video(video_id),
      body: summary,
      parseAs: "stream",
    }),
  ) as Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;

export const listCollections = () => body(client.GET("/api/collections", { params: page }));

export const createCollection = (name: string, video_ids: string[]) =>
  body(client.POST("/api/collections", { body: { name, video_ids } }));

export const changeCollection = (id: string, change: { name?: string; subscribed?: boolean }) =>
  body(client.PATCH("/api/collections/{collection_id}", { ...collection(id), body: change }));

export const deleteCollection = (id: string) =>
  body(client.DELETE("/api/collections/{collection_id}", collection(id)));

export const putInCollection = (id: string, video_ids: string[]) =>
  body(
    client.POST("/api/collections/{collection_id}/videos", {
      ...collection(id),
      body: { video_ids },
    }),
  );

export const takeFromCollection = (collection_id: string, video_id: string) =>
  body(
    client.DELETE("/api/collections/{collection_id}/videos/{video_id}", {
      params: { path: { collection_id, video_id } },
    }),
  );

export const listJobs = (query: {
  status?: JobStatus[];
  batch_id?: string;
  limit: number;
  offset?: number;
}) => body(client.GET("/api/jobs", { params: { query } }));

export type Steer = "retry" | "pause" | "resume" | "cancel";

export const steerJob = (job_id: string, steer: Steer) =>
  body(client.POST(`/api/jobs/{job_id}/${steer}`, { params: { path: { job_id } } }));

/** The same for all jobs for which it makes sense; `changed` says how many those were. */
export const steerJobs = (steer: Steer) => body(client.POST(`/api/jobs/${steer}`, { body: {} }));

/** `q` looks in titles and in what was said. */
export const listConversations = (
  query: { q?: string; limit?: number } = {},
  signal?: AbortSignal,
) =>
  body(
    client.GET("/api/conversations", {
      params: { query: { ...page.query, ...query } },
      ...abortable(signal),
    }),
  );

export const createConversation = (scope: { collection_id?: string } = {}) =>
  body(client.POST("/api/conversations", { body: scope }));

export const renameConversation = (id: string, title: string) =>
  body(
    client.PATCH("/api/conversations/{conversation_id}", { ...conversation(id), body: { title } }),
  );

/** `keepalive` lets the request outlive the page. */
export const deleteConversation = (id: string, keepalive = false) =>
  body(client.DELETE("/api/conversations/{conversation_id}", { ...conversation(id), keepalive }));

/** How an answer was made is free-form in the document; its type here is ours. */
export const listMessages = (
  conversation_id: string,
  part: { limit?: number; offset?: number; replaced?: boolean } = {},
) =>
  body(
    client.GET("/api/conversations/{conversation_id}/messages", {
      params: { path: { conversation_id }, query: { ...page.query, ...part } },
    }),
  ) as Promise<{ items: Message[]; total: number }>;

/** How one gets in here: whether there are accounts, and who may make one. */
export const authOptions = () => body(client.GET("/api/auth/options"));

export const readMe = () => body(client.GET("/api/auth/me"));

export interface Credentials {
  email: string;
  password: string;
}

export const logIn = (credentials: Credentials) =>
  body(client.POST("/api/auth/login", { body: credentials }));

export const logOut = () => body(client.POST("/api/auth/logout"));

export const register = (account: Credentials & { invite?: string }) =>
  body(client.POST("/api/auth/register", { body: account }));

/** Ask for a mail with a link; what is answered is to be shown, whoever's address it is. */
export const askReset = (email: string) =>
  body(client.POST("/api/auth/forgot", { body: { email } }));

export const deleteMe = () => body(client.DELETE("/api/auth/me"));

export const changePassword = (password: string, new_password: string) =>
  body(client.POST("/api/auth/password", { body: { password, new_password } }));

export const listLogins = () => body(client.GET("/api/auth/sessions", { params: page }));

export const endLogin = (session_id: string) =>
  body(client.DELETE("/api/auth/sessions/{session_id}", { params: { path: { session_id } } }));

export const endOtherLogins = () => body(client.DELETE("/api/auth/sessions"));

export const listKeys = () => body(client.GET("/api/keys", { params: page }));

export const createKey = (key: NewKey) => body(client.POST("/api/keys", { body: key }));

export const revokeKey = (key_id: string) =>
  body(client.DELETE("/api/keys/{key_id}", { params: { path: { key_id } } }));

export const resetPassword = (token: string, password: string) =>
  body(client.POST("/api/auth/reset", { body: { token, password } }));

export const readOverview = () => body(client.GET("/api/admin/overview"));

/** Days as in `2026-01-31`, UTC, both included. */
export const readCosts = (query: { start?: string; end?: string }) =>
  body(client.GET("/api/admin/costs", { params: { query } }));

export const readQueue = () => body(client.GET("/api/admin/queue", { params: page }));

export const steerAnybodysJob = (job_id: string, steer: "retry" | "cancel") =>
  body(client.POST(`/api/admin/queue/{job_id}/${steer}`, { params: { path: { job_id } } }));

export const readAudit = () => body(client.GET("/api/admin/audit"));

const person = (user_id: string) => ({ params: { path: { user_id } } });

export const listPeople = (q: string) =>
  body(client.GET("/api/admin/users", { params: { query: { ...page.query, q } } }));

export const changePerson = (id: string, change: { role?: "user" | "admin"; active?: boolean }) =>
  body(client.PATCH("/api/admin/users/{user_id}", { ...person(id), body: change }));

export const readQuotas = (id: string) =>
  body(client.GET("/api/admin/users/{user_id}/quotas", person(id)));

export const setQuotas = (id: string, wanted: OwnQuotas) =>
  body(client.PUT("/api/admin/users/{user_id}/quotas", { ...person(id), body: wanted }));

export const makeReset = (id: string) =>
  body(client.POST("/api/admin/users/{user_id}/reset", person(id)));

export const invite = (invitation: { email: string | null; role: "user" | "admin" }) =>
  body(client.POST("/api/admin/invitations", { body: invitation }));

export const listModels = () => body(client.GET("/api/models"));

const message = (message_id: string) => ({ params: { path: { message_id } } });

export const giveFeedback = (id: string, given: Feedback) =>
  body(client.PUT("/api/messages/{message_id}/feedback", { ...message(id), body: given }));

export const takeBackFeedback = (id: string) =>
  body(client.DELETE("/api/messages/{message_id}/feedback", message(id)));

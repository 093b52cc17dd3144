import createClient from "openapi-fetch";

import type { paths } from "./openapi";

/** What went wrong, in the API's words; `status` 0 means that no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    readonly detail: string,
  ) {
    super(detail);
  }
}

const AWAY = "The server does not answer. Check that it runs and that you are online, then retry.";

const client = createClient<paths>();
client.use({ onError: () => new ApiError(0, "unreachable", AWAY) });

/** The body of a good answer; anything else is thrown as an ApiError. */
async function body<T>(
  sent: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<NonNullable<T>> {
  const { data, error, response } = await sent;
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
  );
}

const page = { query: { limit: 500 } };

const video = (video_id: string) => ({ params: { path: { video_id } } });
const conversation = (conversation_id: string) => ({ params: { path: { conversation_id } } });

export const listVideos = () => body(client.GET("/api/videos", { params: page }));

export const addVideos = (urls: string[]) => body(client.POST("/api/videos", { body: { urls } }));

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

export const readTranscript = (id: string) =>
  body(client.GET("/api/videos/{video_id}/transcript", video(id)));

export const listJobs = () => body(client.GET("/api/jobs", { params: page }));

export const retryJob = (job_id: string) =>
  body(client.POST("/api/jobs/{job_id}/retry", { params: { path: { job_id } } }));

export const listConversations = () => body(client.GET("/api/conversations", { params: page }));

export const createConversation = () => body(client.POST("/api/conversations", { body: {} }));

export const renameConversation = (id: string, title: string) =>
  body(
    client.PATCH("/api/conversations/{conversation_id}", { ...conversation(id), body: { title } }),
  );

export const deleteConversation = (id: string) =>
  body(client.DELETE("/api/conversations/{conversation_id}", conversation(id)));

export const listMessages = (conversation_id: string) =>
  body(
    client.GET("/api/conversations/{conversation_id}/messages", {
      params: { path: { conversation_id }, ...page },
    }),
  );

export const listModels = () => body(client.GET("/api/models"));

import type { AddedSource, Conversation, Job, Message, Models, Transcript, Video } from "./types";

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

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, init);
  } catch {
    throw new ApiError(0, "unreachable", AWAY);
  }
  if (response.status === 204) return undefined as T;
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const { error, detail } = (body ?? {}) as { error?: string; detail?: string };
  throw new ApiError(
    response.status,
    error ?? "unexpected",
    detail ?? `The server answered ${response.status} without saying why.`,
  );
}

function json(method: string, body: unknown): RequestInit {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

interface Items<T> {
  items: T[];
  total: number;
}

const PAGE = "?limit=500";

export const listVideos = () => request<Items<Video>>(`/videos${PAGE}`);

export const addVideos = (urls: string[]) =>
  request<{ items: AddedSource[] }>("/videos", json("POST", { urls }));

export function uploadTranscript(file: File): Promise<{ items: AddedSource[] }> {
  const body = new FormData();
  body.append("file", file);
  return request("/videos/upload", { method: "POST", body });
}

export const addSample = () =>
  request<{ items: AddedSource[] }>("/videos/sample", { method: "POST" });

export const deleteVideo = (id: string) => request<void>(`/videos/${id}`, { method: "DELETE" });

export const readVideo = (id: string) => request<Video>(`/videos/${id}`);

export const readTranscript = (id: string) => request<Transcript>(`/videos/${id}/transcript`);

export const listJobs = () => request<Items<Job>>(`/jobs${PAGE}`);

export const retryJob = (id: string) => request<Job>(`/jobs/${id}/retry`, { method: "POST" });

export const listConversations = () => request<Items<Conversation>>(`/conversations${PAGE}`);

export const createConversation = () => request<Conversation>("/conversations", json("POST", {}));

export const renameConversation = (id: string, title: string) =>
  request<Conversation>(`/conversations/${id}`, json("PATCH", { title }));

export const deleteConversation = (id: string) =>
  request<void>(`/conversations/${id}`, { method: "DELETE" });

export const listMessages = (id: string) =>
  request<Items<Message>>(`/conversations/${id}/messages${PAGE}`);

export const listModels = () => request<Models>("/models");

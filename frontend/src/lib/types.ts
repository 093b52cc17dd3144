/** What the API speaks, by the names the interface uses. Times are seconds, instants ISO 8601. */

export type VideoStatus = "queued" | "loading" | "ready" | "failed";

export interface Failure {
  reason: string;
  detail: string;
  next_step: string;
}

export interface Video {
  id: string;
  youtube_id: string | null;
  url: string | null;
  title: string;
  channel: string | null;
  language: string | null;
  duration_s: number | null;
  published_at: string | null;
  status: VideoStatus;
  failure: Failure | null;
  added_at: string;
}

export interface AddedSource {
  source: string;
  video_id: string | null;
  job_id: string | null;
  status: VideoStatus;
  failure: Failure | null;
}

export interface Segment {
  start_s: number;
  duration_s: number;
  text: string;
}

export interface Transcript {
  language: string;
  kind: "manual" | "automatic" | "generated" | "uploaded";
  segments: Segment[];
}

export interface Job {
  id: string;
  video_id: string;
  source: string;
  status: "queued" | "running" | "paused" | "done" | "failed" | "cancelled";
  step: "fetch" | "chunk" | "embed" | "index" | null;
  progress: number;
  attempt: number;
  failure: Failure | null;
  created_at: string;
  updated_at: string;
}

export interface Conversation {
  id: string;
  title: string;
  video_ids: string[] | null;
  created_at: string;
  updated_at: string;
}

export interface Citation {
  n: number;
  video_id: string;
  youtube_id: string | null;
  title: string;
  start_s: number;
  end_s: number;
  quote: string;
  url: string | null;
}

export interface Usage {
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
}

export interface Message {
  id: string;
  role: "user" | "assistant";
  content: string;
  status: "running" | "complete" | "stopped" | "failed";
  citations: Citation[];
  intent: string | null;
  model: string | null;
  usage: Usage | null;
  error: { error: string; detail: string } | null;
  created_at: string;
  run_id: string;
}

export interface Models {
  items: { id: string; name?: string }[];
  default: string;
  chat_configured: boolean;
}

import type { components } from "./openapi";

/** The API's things under the interface's names. Times are seconds, instants ISO 8601. */
type Schemas = components["schemas"];

/** How an answer was made; `route` is null where it was stopped before that was understood. */
export interface Made {
  route: {
    intent: string;
    question?: string;
    template?: string | null;
    videos?: number | null;
    decided_by?: "rules" | "model";
  } | null;
  passages: { n: number; score: number }[];
  /** How many claims have no source in the videos. */
  unproved?: number;
  steps: { step: string; ms: number }[];
  calls: { purpose: string; model: string; duration_ms: number; error: string | null }[];
  first_token_ms: number | null;
  total_ms: number;
}

export type Found = Schemas["Found"];
export type Account = Schemas["MeOut"];
export type AddedSource = Schemas["AddedOut"];
export type Chapter = Schemas["ChapterOut"];
/** `claim` is the sentence of a post that it bears out; unsaid where a number in the text says it. */
export type Citation = Schemas["CitationOut"] & { claim?: string | null };
export type Collection = Schemas["CollectionOut"];
/** `found` says where the words are that were looked for. */
export type Conversation = Schemas["ConversationOut"] & { found?: Found | null };
export type CostRow = Schemas["CostOut"];
export type Costs = Schemas["CostList"];
/** What is set for one person; null is what everybody has. */
export type OwnQuotas = Schemas["OwnQuotas"];
/** What an administrator did. */
export type Deed = Schemas["AuditOut"];
export type Failure = Schemas["FailureOut"];
export type Feedback = Pick<Schemas["FeedbackOut"], "rating" | "comment">;
export type Job = Schemas["JobOut"];
export type JobStatus = Job["status"];
export type Key = Schemas["KeyOut"];
export type Language = Schemas["LanguageOut"];
export type Login = Schemas["LoginOut"];
export type Message = Omit<
  Schemas["MessageOut"],
  "citations" | "suggestions" | "metadata" | "feedback"
> & {
  citations: Citation[];
  suggestions: string[];
  metadata: Made | null;
  feedback: Feedback | null;
};
export type Models = Schemas["ModelList"];
export type NewKey = Schemas["NewKey"];
export type NewSummary = Schemas["NewSummary"];
export type NewTemplate = Schemas["NewTemplate"];
export type NewVideos = Schemas["NewVideos"];
export type Overview = Schemas["Overview"];
/** Somebody with an account, as an administrator sees them. */
export type Person = Schemas["UserOut"];
export type Price = Schemas["PriceOut"];
/** What somebody may have at most, and has. */
export type Quotas = Schemas["QuotasOut"];
/** A job as an administrator sees it. */
export type QueueJob = Schemas["QueueJob"];
export type Segment = Schemas["SegmentOut"];
export type Summary = Schemas["SummaryOut"];
export type SummaryStyle = Summary["style"];
export type Template = Schemas["TemplateOut"];
export type Transcript = Schemas["TranscriptOut"];
/** What one's own questions have cost. */
export type Spending = Schemas["Usage"];
export type Usage = Schemas["UsageOut"];
export type Video = Schemas["VideoOut"];
export type VideoStatus = Video["status"];

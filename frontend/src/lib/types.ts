import type { components } from "./openapi";

/** The API's things under the interface's names. Times are seconds, instants ISO 8601. */
type Schemas = components["schemas"];

export type AddedSource = Schemas["AddedOut"];
export type Chapter = Schemas["ChapterOut"];
export type Citation = Schemas["CitationOut"];
export type Collection = Schemas["CollectionOut"];
export type Conversation = Schemas["ConversationOut"];
export type Failure = Schemas["FailureOut"];
export type Job = Schemas["JobOut"];
export type JobStatus = Job["status"];
export type Language = Schemas["LanguageOut"];
export type Message = Schemas["MessageOut"];
export type Models = Schemas["ModelList"];
export type NewVideos = Schemas["NewVideos"];
export type Price = Schemas["PriceOut"];
export type Segment = Schemas["SegmentOut"];
export type Transcript = Schemas["TranscriptOut"];
export type Usage = Schemas["UsageOut"];
export type Video = Schemas["VideoOut"];
export type VideoStatus = Video["status"];

export { type FileJournal, fileJournal } from './journals/file/file-journal.js'
export type { FileJournalOptions } from './journals/file/file-options.js'
export type { Recovery } from './journals/file/recovery.js'

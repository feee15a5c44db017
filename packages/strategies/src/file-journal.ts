export { type FileJournal, fileJournal, type FileJournalOptions } from './journals/file/file-journal.js'
export type { Recovery } from './journals/file/recovery.js'
